"""Moviola finds the moment in a video that a sentence describes."""
