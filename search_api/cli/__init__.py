"""The command line of codecite."""
