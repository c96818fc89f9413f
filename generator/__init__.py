"""A code model and an index: no completion leaves without what the index says of it."""
