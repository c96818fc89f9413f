"""Indexes behind a codecite server."""
