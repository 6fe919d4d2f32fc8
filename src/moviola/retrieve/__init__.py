"""Retrieve moments for a query: parse, score, calibrate, merge, rank and rerank."""

from moviola.retrieve.calibration import first_hit_probability

__all__ = ["first_hit_probability"]
