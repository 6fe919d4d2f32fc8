"""Texts times clips into `Scores`."""

from moviola.score.cosine import cosine
from moviola.score.maxsim import maxsim

__all__ = ["cosine", "maxsim"]
