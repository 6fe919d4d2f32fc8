"""Serve files, pictures and cuts of videos, by id."""
