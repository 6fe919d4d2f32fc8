"""Fit the general calibration of searches on real score matrices, and measure it."""
