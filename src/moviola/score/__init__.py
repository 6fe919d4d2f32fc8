"""Texts times clips to scores."""
