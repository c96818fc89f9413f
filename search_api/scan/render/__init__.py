"""The forms in which a scan is written down: one module each, a Scan in, text out."""
