"""The API's URLs, its description, and the two health checks."""

from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

from vwg import schema
from vwg.health import live, ready

__all__ = ["schema", "urlpatterns"]  # importing `schema` registers the security schemes

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz/live", live, name="healthz-live"),
    path("healthz/ready", ready, name="healthz-ready"),
    path("api/v1/schema/", SpectacularJSONAPIView.as_view(), name="schema"),
    path(
        "api/v1/docs/",
        SpectacularSwaggerSplitView.as_view(template_name="rest/docs.html", url_name="schema"),
        name="docs",
    ),
    path("api/v1/", include("gateways.api.urls")),
    path("api/v1/", include("resellers.api.login_urls")),
    path("api/", include("peers.api.urls")),
    path("api/v1/", include("resellers.api.urls")),
]
