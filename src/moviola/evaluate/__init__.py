"""Measure scores against relevance, per query first."""

from moviola.evaluate.chance import chance_level
from moviola.evaluate.comparing import Comparison, compare
from moviola.evaluate.corrected import CorrectedResult, corrected_table
from moviola.evaluate.measures import (
    DEFAULT_MEASURES,
    Combined,
    Measure,
    MeasureCard,
    parse_measure,
    parse_measures,
)
from moviola.evaluate.moments.first import MomentResult, best_iou, evaluate_moments
from moviola.evaluate.moments.ranked import evaluate_ranked_moments
from moviola.evaluate.results import DirectionResult, RetrievalResult
from moviola.evaluate.retrieval import evaluate
from moviola.evaluate.runs import evaluate_run
from moviola.evaluate.ties import Ties
from moviola.evaluate.trec import read_qrels, read_run

__all__ = [
    "DEFAULT_MEASURES",
    "Combined",
    "Comparison",
    "CorrectedResult",
    "DirectionResult",
    "Measure",
    "MeasureCard",
    "MomentResult",
    "RetrievalResult",
    "Ties",
    "best_iou",
    "chance_level",
    "compare",
    "corrected_table",
    "evaluate",
    "evaluate_moments",
    "evaluate_ranked_moments",
    "evaluate_run",
    "parse_measure",
    "parse_measures",
    "read_qrels",
    "read_run",
]
