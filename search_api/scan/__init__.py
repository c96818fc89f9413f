"""The scanner: what of a tree or of a change stands in an index, and what is to be done about it."""
