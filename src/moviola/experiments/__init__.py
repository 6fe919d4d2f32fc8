"""Whole runs made of the rooms."""
