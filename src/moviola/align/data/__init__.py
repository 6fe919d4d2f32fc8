"""Prepare what heads learn from: pairs, rows, batches, and which videos are held out."""
