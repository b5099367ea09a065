"""The project: settings, Celery, URLs, and the one table from exceptions to HTTP."""

from vwg.celery import app as celery_app

__all__ = ["celery_app"]
