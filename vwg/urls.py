"""Every URL of vwg."""

urlpatterns: list[object] = []
