"""Text to canonical text, with the way back."""
