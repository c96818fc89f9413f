"""Queries to Matches."""
