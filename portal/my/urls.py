"""What customers see who sign in."""

from django.urls import path

from portal.my import views

urlpatterns = [
    path("my/", views.index, name="my"),
    path("my/<uuid:login_id>/", views.show, name="mine"),
    path("my/<uuid:login_id>/devices/<uuid:peer_id>/", views.device, name="my-device"),
]
