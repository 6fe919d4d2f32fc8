"""`Scores` and `Qrels` into measures, per query first."""

from moviola.evaluate.measures import (
    DEFAULT_MEASURES,
    Combined,
    Measure,
    parse_measure,
    parse_measures,
)
from moviola.evaluate.moments import MomentResult, best_iou, evaluate_moments
from moviola.evaluate.results import DirectionResult, RetrievalResult
from moviola.evaluate.retrieval import evaluate
from moviola.evaluate.ties import Ties

__all__ = [
    "DEFAULT_MEASURES",
    "Combined",
    "DirectionResult",
    "Measure",
    "MomentResult",
    "RetrievalResult",
    "Ties",
    "best_iou",
    "evaluate",
    "evaluate_moments",
    "parse_measure",
    "parse_measures",
]
