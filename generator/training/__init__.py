"""The scripts that made the demo checkpoint. Nothing here is imported at run time."""
