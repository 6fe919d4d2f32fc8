"""Take videos out of a library."""
