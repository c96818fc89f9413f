"""Segments on disk: written once, mapped by readers, published by the manifest."""
