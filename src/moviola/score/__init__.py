"""Texts times clips into `Scores`, and scores into scores that hubs no longer spoil."""

from moviola.score.blocks import score_blocks
from moviola.score.corrections import BankCorrection, Correction, adjust_blocks, is_transductive
from moviola.score.cosine import cosine
from moviola.score.maxsim import maxsim
from moviola.score.neighbourhoods import CSLS, NNN
from moviola.score.sinkhorn import Sinkhorn
from moviola.score.softmaxes import DualSoftmax, InvertedSoftmax, QBNorm

__all__ = [
    "CSLS",
    "NNN",
    "BankCorrection",
    "Correction",
    "DualSoftmax",
    "InvertedSoftmax",
    "QBNorm",
    "Sinkhorn",
    "adjust_blocks",
    "cosine",
    "is_transductive",
    "maxsim",
    "score_blocks",
]
