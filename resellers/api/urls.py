"""/api/v1/: tenants, members, tokens, plans, events, me."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
