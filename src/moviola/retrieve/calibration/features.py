"""Describe the first hit of a query by a few numbers that do not depend on the model's units."""

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
"""Names of the columns of `first_hit_features`, in order."""

# The gallery is taken to hold so many ordinary clips more, which keeps small ones from making
# every hit look unrivalled.
_ORDINARY_CLIPS = 20
# Where the best of a few ordinary clips lies, in standard deviations.
_ORDINARY_RIVAL = 2.0
# The mean of exp(x) over standard normal x: what an ordinary clip adds to the sum of shares.
_ORDINARY_SHARE = float(np.exp(0.5))
# Numbers of scores that are worked on at once.
_BLOCK = 2_000_000


def first_hit_features(scores: NDArray[np.floating], bank: BankStatistics) -> NDArray[np.float64]:
    """Describe the first hit of each of Q queries over N clips, one clip a video.

    Adding a number to all scores, those of the bank included, or multiplying them by a positive
    one, changes nothing. Of the first hit, which is the first of those with the best score:

    * `best`: its score above what an ordinary sentence's best clip scores, in standard deviations
      of that over the bank;
    * `reverse`: its score above what ordinary sentences score on that clip, in their standard
      deviations;
    * `beyond`: the same above the best of 200 ordinary sentences on that clip;
    * `share`: log of its share of exp(reverse) over all clips and 20 ordinary ones;
    * `margin`: its score above the runner-up's, or a good ordinary clip's where that is better,
      in standard deviations of all of the bank's scores;
    * logs of N and of N + 20.

    Args:
        scores: `(Q, N)`, N >= 1, larger is better; minus infinity takes a clip out.
        bank: what ordinary sentences score on the same N clips.

    Returns:
        `(Q, 7)`, columns as `FEATURES`.
    """
    rows = max(1, _BLOCK // scores.shape[1])
    found = [
        _features(np.asarray(scores[start : start + rows], np.float64), bank)
        for start in range(0, len(scores), rows)
    ]
    return np.concatenate(found) if found else np.zeros((0, len(FEATURES)))


def _features(scores: NDArray[np.float64], bank: BankStatistics) -> NDArray[np.float64]:
    rows = np.arange(len(scores))
    first = scores.argmax(1)
    best = scores[rows, first]
    clips = np.isfinite(scores).sum(1).astype(np.float64)
    reversed_ = (scores - bank.mean) / bank.spread
    reverse = reversed_[rows, first]
    shares = np.exp(np.minimum(reversed_ - reverse[:, None], 500))
    total = shares.sum(1) + _ORDINARY_CLIPS * _ORDINARY_SHARE * np.exp(np.minimum(-reverse, 500))
    # The best is struck out in place: `scores` is a copy, or what is left of it is not used.
    others = scores.copy()
    others[rows, first] = -np.inf
    rival = np.maximum(others.max(1), bank.centre + _ORDINARY_RIVAL * bank.unit)
    return np.stack(
        [
            (best - bank.best) / bank.best_spread,
            reverse - bank.most[first],
            -np.log(total),
            reverse,
            (best - rival) / bank.unit,
            np.log(clips),
            np.log(clips + _ORDINARY_CLIPS),
        ],
        axis=1,
    )
