"""Calibrate a search: how probable it is that its first hit is right, from scores alone."""

from moviola.retrieve.calibration.probability import first_hit_probability

__all__ = ["first_hit_probability"]
