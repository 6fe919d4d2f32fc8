"""Frozen embeddings into better ones: heads that make texts and clips comparable."""
