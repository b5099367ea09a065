"""Strict JSON bodies."""

from rest_framework.parsers import JSONParser


class StrictJSONParser(JSONParser):
    """JSON in UTF-8, nothing else."""
