"""Verify, repair, export and import libraries."""
