"""Index folders of videos into a library."""
