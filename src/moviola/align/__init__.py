"""Fit heads that make frozen embeddings of texts and clips comparable."""

from moviola.align.head.aligner import Aligner
from moviola.align.head.card import HeadCard
from moviola.align.head.maps import LinearMaps, Maps
from moviola.align.head.side import Side

__all__ = ["Aligner", "HeadCard", "LinearMaps", "Maps", "Side"]
