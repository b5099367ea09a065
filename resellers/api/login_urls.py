"""Logins of customers. Before the other routes: an external id may hold slashes."""

from django.urls import path

from resellers.api.customers import ClientLogins, LoginDetail

urlpatterns = [
    path("clients/<uuid:client_id>/logins", ClientLogins.as_view(), name="client-logins"),
    path(
        "clients/by-external-id/<path:external_id>/logins",
        ClientLogins.as_view(),
        name="external-client-logins",
    ),
    path("logins/<uuid:login_id>", LoginDetail.as_view(), name="login"),
]
