"""The portal's pages."""

from django.urls import path

from portal.access import views as tokens
from portal.account import views as account
from portal.account.urls import urlpatterns as account_urls
from portal.brand import views as brand
from portal.client import urls as client
from portal.clients import urls as clients
from portal.history import views as history
from portal.home import views as home
from portal.keys import views as keys
from portal.members import views as members
from portal.my import urls as my
from portal.operators import urlpatterns as operators
from portal.outcomes import urls as outcomes
from portal.plans import views as plans
from portal.status import apply_views, peer_views, views
from portal.usage import views as usage

urlpatterns = [
    *account_urls,
    path("", home.front, name="front"),
    path("t/<slug:tenant>/", home.tenant_home, name="tenant-home"),
    path("t/<slug:tenant>/live/", home.live, name="tenant-home-live"),
    path("t/<slug:tenant>/plans/", plans.index, name="plans"),
    path("t/<slug:tenant>/plans/new/", plans.new, name="plan-new"),
    path("t/<slug:tenant>/plans/<uuid:uuid>/", plans.edit, name="plan-edit"),
    path("t/<slug:tenant>/plans/<uuid:uuid>/remove/", plans.remove, name="plan-remove"),
    path("t/<slug:tenant>/usage/", usage.show, name="usage"),
    path(
        "t/<slug:tenant>/usage/<int:year>-<int:month>.csv",
        usage.statement_file,
        name="statement-file",
    ),
    path("t/<slug:tenant>/tokens/", tokens.index, name="tokens"),
    path("t/<slug:tenant>/tokens/new/", tokens.new, name="token-new"),
    path("t/<slug:tenant>/tokens/<uuid:uuid>/revoke/", tokens.revoke, name="token-revoke"),
    path("t/<slug:tenant>/members/", members.index, name="members"),
    path("t/<slug:tenant>/members/new/", members.new, name="member-new"),
    path("t/<slug:tenant>/members/<uuid:uuid>/role/", members.role, name="member-role"),
    path("t/<slug:tenant>/members/<uuid:uuid>/remove/", members.remove, name="member-remove"),
    path("t/<slug:tenant>/settings/", brand.edit, name="tenant-settings"),
    path("t/<slug:tenant>/settings/logo/", brand.logo, name="tenant-logo-page"),
    path("t/<slug:tenant>/settings/preview/", brand.preview, name="tenant-preview"),
    path("t/<slug:tenant>/history/", history.index, name="history"),
    *client.urlpatterns,
    *clients.urlpatterns,
    *outcomes.urlpatterns,
    *my.urlpatterns,
    path("keys/", keys.keys, name="page-keys"),
    path("status/", views.status, name="page-status"),
    path("live/", views.live, name="page-live"),
    path("apply/", apply_views.apply, name="page-apply"),
    path("jobs/<uuid:uuid>/", apply_views.job, name="page-job"),
    path("peers/new/", peer_views.new, name="page-peer-new"),
    path("peers/<uuid:uuid>/", peer_views.show, name="page-peer"),
    path("peers/<uuid:uuid>/file/", peer_views.file, name="page-peer-file"),
    path("peers/<uuid:uuid>/remove/", peer_views.remove, name="page-peer-remove"),
    path("language/", account.language, name="page-language"),
    path("theme/", account.theme, name="page-theme"),
    *operators,
]
