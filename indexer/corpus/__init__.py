"""Sources of code -> Units: packages, and their files."""
