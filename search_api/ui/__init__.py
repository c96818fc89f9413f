"""The page for people: what the application serves to browsers."""

from codecite.search_api.ui.pages import blueprint

__all__ = ["blueprint"]
