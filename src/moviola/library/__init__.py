"""The searchable library."""
