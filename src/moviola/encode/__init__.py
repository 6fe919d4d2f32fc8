"""Frames, sound and texts to vectors: one file per model family."""
