"""From exception to HTTP: the one table."""

from django.http import HttpRequest, JsonResponse


def csrf_failure(request: HttpRequest, reason: str = "") -> JsonResponse:
    """403 for a form or a session's API call without its CSRF token."""
    return JsonResponse({"detail": "CSRF token missing or incorrect."}, status=403)
