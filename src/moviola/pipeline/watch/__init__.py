"""Watch folders, and index files as they settle."""
