"""Serve the local search page and its JSON API."""

from moviola.serve.app import create_app
from moviola.serve.settings import Settings

__all__ = ["Settings", "create_app"]
