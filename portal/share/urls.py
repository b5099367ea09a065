"""Below /s/: what customers open. /s/brand/… is a style sheet and no secret."""

from django.urls import path, re_path

from portal.share import views as share_views

urlpatterns = [
    re_path(
        r"^brand/(?P<light>[0-9a-f]{6})-(?P<dark>[0-9a-f]{6})\.css$",
        share_views.colors,
        name="share-colors",
    ),
    path("<str:secret>", share_views.show, name="share"),
    path("<str:secret>/config", share_views.config, name="share-config"),
    path("<str:secret>/status.json", share_views.status, name="share-status"),
    path("<str:secret>/key", share_views.key, name="share-key"),
]
