"""Fit heads on files of embeddings, and check the pairs they would learn from."""
