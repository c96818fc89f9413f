"""`python -m codecite.search_api.cli` is the same as `codecite`."""

from codecite.search_api.cli.main import main

if __name__ == "__main__":
    main()
