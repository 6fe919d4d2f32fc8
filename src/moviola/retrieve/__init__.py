"""Retrieve moments for a query: parse, score, calibrate, merge, rank and rerank."""
