"""Secrets at rest: key rings and sealed values. Knows no model and no tenant."""
