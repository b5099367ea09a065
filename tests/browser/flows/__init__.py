"""Whole flows: a real browser, a whole vwg behind it, and devices with real tunnels."""
