"""Measure moments: first, ranked and highlighted inside a video, and found in a corpus."""

from moviola.evaluate.moments.corpus import CorpusMomentResult, evaluate_corpus_moments
from moviola.evaluate.moments.first import MomentResult, best_iou, evaluate_moments
from moviola.evaluate.moments.highlights import HighlightResult, evaluate_highlights
from moviola.evaluate.moments.ranked import evaluate_ranked_moments

__all__ = [
    "CorpusMomentResult",
    "HighlightResult",
    "MomentResult",
    "best_iou",
    "evaluate_corpus_moments",
    "evaluate_highlights",
    "evaluate_moments",
    "evaluate_ranked_moments",
]
