"""Fit heads in closed form: canonical correlations, their relatives, and how they are chosen."""
