"""Text to fingerprints."""
