"""Score texts against clips, and correct scores that hubs spoil."""

from moviola.score.blocks import score_blocks
from moviola.score.corrections import (
    BankCorrection,
    BlockCorrection,
    Correction,
    adjust_blocks,
    is_transductive,
)
from moviola.score.maxsim import maxsim
from moviola.score.named import make_correction
from moviola.score.neighbourhoods import CSLS, NNN
from moviola.score.row_scoring import RowScoring
from moviola.score.scorers import PairScorer, cosine, dot, scorer_for
from moviola.score.sinkhorn import Sinkhorn
from moviola.score.softmaxes import DualSoftmax, InvertedSoftmax, QBNorm
from moviola.score.staged import encode_embeddings, score_rows

__all__ = [
    "CSLS",
    "NNN",
    "BankCorrection",
    "BlockCorrection",
    "Correction",
    "DualSoftmax",
    "InvertedSoftmax",
    "PairScorer",
    "QBNorm",
    "RowScoring",
    "Sinkhorn",
    "adjust_blocks",
    "cosine",
    "dot",
    "encode_embeddings",
    "is_transductive",
    "make_correction",
    "maxsim",
    "score_blocks",
    "score_rows",
    "scorer_for",
]
