"""Decode untrusted video files; everything here runs inside a worker."""
