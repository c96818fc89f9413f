"""Matches to Attributions."""
