"""Rows by the ten thousand: what must not grow with them."""
