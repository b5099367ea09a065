"""Tests on real processes: Redis, web, workers, beat, and a real interface in a namespace."""
