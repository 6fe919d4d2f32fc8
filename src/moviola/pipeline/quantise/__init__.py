"""Quantise the rows of stores, and measure what that loses."""
