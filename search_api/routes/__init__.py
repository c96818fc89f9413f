"""The routes: a module for each thing that can be asked, each with its blueprint."""
