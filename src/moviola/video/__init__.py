"""File to clips to frames and sound, decoded in worker processes."""
