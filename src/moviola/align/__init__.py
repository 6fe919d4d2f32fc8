"""Frozen embeddings into better ones: heads that make texts and clips comparable."""

from moviola.align.aligner import Aligner
from moviola.align.card import HeadCard
from moviola.align.maps import LinearMaps, Maps
from moviola.align.towers import Tower

__all__ = ["Aligner", "HeadCard", "LinearMaps", "Maps", "Tower"]
