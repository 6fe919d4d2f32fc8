"""Encode with models of sentence-transformers that take video."""
