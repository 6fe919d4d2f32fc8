"""Retrieval data sets: one file each."""
