"""Encode videos and captions into stores of embeddings."""
