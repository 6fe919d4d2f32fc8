"""Check what every scorer of texts against frames promises."""

from __future__ import annotations

import numpy as np

from moviola.core import PairScorer
from moviola.testing.encoders import check_sampler
from moviola.testing.examples import TEXTS, make_clips
from moviola.testing.promises import require, require_kind


def check_scorer(scorer: PairScorer, *, tolerance: float = 1e-3) -> None:
    """Check that a scorer keeps its promises, on two texts and three clips.

    Args:
        scorer: what to check.
        tolerance: largest difference allowed between scores of the same pair, as a share of the
            largest score.

    Raises:
        AssertionError: one sentence that names the broken promise.
    """
    require_kind(scorer, PairScorer, "a scorer has space, sampler, score_pairs and score")
    require(not scorer.space.is_anonymous, "space must name its model")
    check_sampler(scorer.sampler)
    texts, clips = TEXTS[:2], make_clips(scorer)[:3]
    matrix = scorer.score(texts, clips)
    require(
        matrix.shape == (2, 3) and matrix.dtype == np.float32,
        f"score of 2 texts and 3 clips must be (2, 3) float32, got {matrix.shape} {matrix.dtype}",
    )
    require(bool(np.isfinite(matrix).all()), "score gives NaN or infinity")
    pairs = scorer.score_pairs([texts[0], texts[1], texts[0]], clips)
    require(
        pairs.shape == (3,) and pairs.dtype == np.float32,
        f"score_pairs of 3 pairs must be (3,) float32, got {pairs.shape} {pairs.dtype}",
    )
    room = tolerance * max(float(np.abs(matrix).max()), 1e-6)
    wanted = matrix[[0, 1, 0], [0, 1, 2]]
    gap = float(np.abs(pairs - wanted).max())
    require(gap <= room, f"score_pairs and score differ by {gap:.2g} for the same pair")
    alone = np.concatenate([scorer.score([text], clips) for text in texts])
    gap = float(np.abs(alone - matrix).max())
    require(gap <= room, f"score depends on the other texts by {gap:.2g}")
    require(
        scorer.score_pairs([], []).shape == (0,) and scorer.score([], clips).shape == (0, 3),
        "without texts, score_pairs must give (0,) and score (0, C)",
    )
    try:
        scorer.score_pairs(texts, clips)
    except ValueError:
        return
    raise AssertionError("score_pairs takes 2 texts with 3 clips, and must raise a ValueError")
