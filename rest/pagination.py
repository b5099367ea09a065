"""Keyset pagination."""

from rest_framework.pagination import BasePagination


class KeysetPagination(BasePagination):
    """Placeholder of the shape."""
