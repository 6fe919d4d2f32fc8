"""Evaluate files of scores, embeddings, runs or moments, and report the results."""
