"""The front door of codecite."""
