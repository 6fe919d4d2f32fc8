"""Scores and relevance to measures."""
