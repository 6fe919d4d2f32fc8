"""Frozen embeddings into better ones: heads that make texts and clips comparable."""

from moviola.align.head.aligner import Aligner
from moviola.align.head.card import HeadCard
from moviola.align.head.maps import LinearMaps, Maps
from moviola.align.head.side import Tower

__all__ = ["Aligner", "HeadCard", "LinearMaps", "Maps", "Tower"]
