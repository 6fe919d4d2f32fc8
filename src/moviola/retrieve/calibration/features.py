"""Describe the hits of a query by a few numbers that do not depend on the model's units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moviola.retrieve.calibration.bank_statistics import BankStatistics

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEATURES = (
    "best",
    "beyond",
    "share",
    "reverse",
    "margin",
    "log_gallery",
    "log_gallery_and_ordinary",
)
"""Names of the features of a hit, in order."""

# The gallery is taken to hold so many ordinary clips more, which keeps small ones from making
# every hit look unrivalled.
_ORDINARY_CLIPS = 20
# Where the best of a few ordinary clips lies, in standard deviations.
_ORDINARY_RIVAL = 2.0
# The mean of exp(x) over standard normal x: what an ordinary clip adds to the sum of shares.
_ORDINARY_SHARE = float(np.exp(0.5))
# Numbers of scores that are worked on at once.
_BLOCK = 2_000_000
# exp overflows a little beyond.
_FARTHEST = 700.0


def first_hit_features(scores: NDArray[np.floating], bank: BankStatistics) -> NDArray[np.float64]:
    """Describe the first hit of each of Q queries, the first of those with the best score.

    Args:
        scores: `(Q, N)`, N >= 1, larger is better.
        bank: what ordinary sentences score on the same N clips.

    Returns:
        `(Q, F)`, columns as `FEATURES`.
    """
    return hit_features(scores, scores.argmax(1)[:, None], bank)[:, 0]


def hit_features(
    scores: NDArray[np.floating],
    hits: NDArray[np.int64],
    bank: BankStatistics,
    *,
    values: NDArray[np.floating] | None = None,
) -> NDArray[np.float64]:
    """Describe k hits of each of Q queries over N clips, one clip a video.

    Adding a number to all scores, those of the bank included, or multiplying them by a positive
    one, changes nothing. Of each hit:

    * `best`: its score above what an ordinary sentence's best clip scores, in standard deviations
      of that over the bank;
    * `reverse`: its score above what ordinary sentences score on that clip, in their standard
      deviations;
    * `beyond`: the same above the best of 200 ordinary sentences on that clip;
    * `share`: log of its share of exp(reverse) over all clips and 20 ordinary ones;
    * `margin`: its score above that of its best rival, or of a good ordinary clip where that is
      better, in standard deviations of all of the bank's scores;
    * logs of N and of N + 20.

    Args:
        scores: `(Q, N)`, N >= 1, larger is better; minus infinity takes a clip out.
        hits: `(Q, k)` columns of `scores`.
        bank: what ordinary sentences score on the same N clips.
        values: `(Q, k)` scores of the hits, where they are not those of their columns.

    Returns:
        `(Q, k, F)`, the last axis as `FEATURES`.
    """
    rows = max(1, _BLOCK // scores.shape[1])
    found: list[NDArray[np.float64]] = []
    for start in range(0, len(scores), rows):
        part = np.asarray(scores[start : start + rows], np.float64)
        where = hits[start : start + rows]
        own = np.take_along_axis(part, where, 1)
        if values is not None:
            own = np.asarray(values[start : start + rows], np.float64)
        found.append(_features(part, where, own, bank))
    return np.concatenate(found) if found else np.zeros((0, hits.shape[1], len(FEATURES)))


def _features(
    scores: NDArray[np.float64],
    hits: NDArray[np.int64],
    values: NDArray[np.float64],
    bank: BankStatistics,
) -> NDArray[np.float64]:
    rows = np.arange(len(scores))
    clips = np.isfinite(scores).sum(1, keepdims=True).astype(np.float64)
    first = scores.argmax(1)
    best = scores[rows, first][:, None]
    others = scores.copy()
    others[rows, first] = -np.inf
    # A hit's best rival is the best of all clips, or the second where it is the best itself.
    rival = np.where(hits == first[:, None], others.max(1, keepdims=True), best)
    rival = np.maximum(rival, bank.centre + _ORDINARY_RIVAL * bank.unit)
    reversed_ = (scores - bank.mean) / bank.spread
    peak = reversed_.max(1, keepdims=True)
    ordinary = _ORDINARY_CLIPS * _ORDINARY_SHARE * np.exp(np.minimum(-peak, _FARTHEST))
    total = peak + np.log(np.exp(reversed_ - peak).sum(1, keepdims=True) + ordinary)
    reverse = (values - bank.mean[hits]) / bank.spread[hits]
    size = np.broadcast_to(np.log(clips), reverse.shape)
    return np.stack(
        [
            (values - bank.best) / bank.best_spread,
            reverse - bank.most[hits],
            reverse - total,
            reverse,
            (values - rival) / bank.unit,
            size,
            np.log(np.exp(size) + _ORDINARY_CLIPS),
        ],
        axis=2,
    )
