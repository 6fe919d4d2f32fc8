"""Evaluate moments: of files, and of the real search over a library."""
