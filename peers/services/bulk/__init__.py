"""Many clients in one request: chosen, done in batches, each item with its own outcome."""
