"""What the portal itself keeps."""

import uuid

from django.conf import settings
from django.db import models


class SavedView(models.Model):
    """A view of the list of clients that somebody gave a name: a bookmark, nobody else's."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views"
    )
    name = models.CharField(max_length=60)
    #: The query of the list's address.
    query = models.CharField(max_length=1000)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "user", "name"], name="saved_view_name_once")
        ]

    def __str__(self) -> str:
        return self.name
