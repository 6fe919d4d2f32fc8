"""Generate worlds whose truth is known."""
