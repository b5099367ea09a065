"""The API's URLs: who serves what below /api/."""

urlpatterns: list = []
