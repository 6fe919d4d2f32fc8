"""Judge the hits of a search by the probability that each is right."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from weakref import WeakKeyDictionary

import numpy as np

from moviola.core import Encoder, MoviolaError
from moviola.library import Library, Snapshot, VideoRecord
from moviola.retrieve.calibration.bank_statistics import BankStatistics
from moviola.retrieve.calibration.features import hit_features
from moviola.retrieve.calibration.general import GeneralCalibration, general_calibration
from moviola.retrieve.calibration.kept_bank import bank_directions, score_bank
from moviola.retrieve.calibration.library_calibration import LibraryCalibration
from moviola.retrieve.calibration.logistic import Logistic
from moviola.retrieve.calibration.measures import ABSENT_PROBABILITY
from moviola.retrieve.duplicates import NEAR

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LOG = logging.getLogger("moviola.retrieve")
# Rivals that are looked at for near-duplicates of the first hit: until so many are none.
_RIVALS = 3
_MOST_COPIES = 32


@dataclass(frozen=True, slots=True)
class Judgement:
    """Hold what is known of the k hits of one search.

    Attributes:
        probabilities: `(k,)` of being right, None where that was not measured.
        absent: whether the library was measured to hold nothing of what is asked for.
    """

    probabilities: tuple[float | None, ...]
    absent: bool = False


class Judge(Protocol):
    """Judges the hits of plain sentences on one library."""

    def __call__(
        self,
        snapshot: Snapshot,
        scores: NDArray[np.floating],
        places: Sequence[int],
        values: Sequence[float],
    ) -> Judgement:
        """Judge k hits, best first.

        Args:
            snapshot: the library as it is shown.
            scores: `(n,)` of every clip.
            places: k places of the hits' videos.
            values: k scores of the hits.
        """
        ...


@dataclass(frozen=True, slots=True)
class ScoreJudge:
    """Judge by an encoder's own calibration, fitted to the scores of its hits.

    Attributes:
        slope: of the score.
        intercept: added to it.
    """

    slope: float
    intercept: float

    def __call__(
        self,
        snapshot: Snapshot,
        scores: NDArray[np.floating],
        places: Sequence[int],
        values: Sequence[float],
    ) -> Judgement:
        """Judge every hit by its score; `absent` where the best clip's is under .1."""
        del snapshot, places
        curve = Logistic((self.slope,), self.intercept)
        best = float(scores.max())
        chances = curve.probabilities(np.array([[value] for value in (*values, best)]))
        return Judgement(tuple(map(float, chances[:-1])), float(chances[-1]) < ABSENT_PROBABILITY)


@dataclass(frozen=True, slots=True)
class BankJudge:
    """Judge by what ordinary sentences score on the same videos.

    The best hit of each video is judged, as that was measured; its further moments are not. A
    video that nearly equals the first hit is no rival of it, and as probable.

    Attributes:
        bank: what ordinary sentences score on every video.
        calibration: turns features into probabilities.
    """

    bank: BankStatistics
    calibration: GeneralCalibration

    def __call__(
        self,
        snapshot: Snapshot,
        scores: NDArray[np.floating],
        places: Sequence[int],
        values: Sequence[float],
    ) -> Judgement:
        """Judge the best hit of each video by its features."""
        best = np.maximum.reduceat(scores, snapshot.offsets[:-1]).astype(np.float64)
        first = int(best.argmax())
        shown = [first, *places]
        worth = np.array([best[first], *values], np.float64)
        copies = find_copies(best, first, scores, snapshot)
        best[copies] = -np.inf
        same = {first, *copies}
        features = hit_features(
            best[None], np.array([shown], np.int64), self.bank, values=worth[None]
        )[0]
        right = self.calibration.right.probabilities(features)
        later = self.calibration.later.probabilities(features)
        seen: set[int] = set()
        found: list[float | None] = []
        for place, late in zip(places, later[1:], strict=True):
            chance = float(right[0] if place in same else late)
            found.append(None if place in seen else chance)
            seen.add(place)
        holds = float(self.calibration.holds.probabilities(features[:1])[0])
        return Judgement(tuple(found), holds < ABSENT_PROBABILITY)


def judge_for(library: Library, encoder: Encoder, snapshot: Snapshot) -> Judge | None:
    """Choose what judges the hits of plain sentences: the most particular calibration there is.

    That is one of the user's own pairs, else the encoder's own, else the general one.

    Returns:
        None for a library without videos, one that keeps several rows a clip, and where the encoder
        cannot embed ordinary sentences.

    Raises:
        StoreCorruptError: when the library's own calibration is damaged.
    """
    if not snapshot.records or snapshot.rows is not None:
        return None  # what rows score was not measured on anything
    own = LibraryCalibration.read(library.path)
    if own is None and library.card.calibration is not None:
        return ScoreJudge(*library.card.calibration)
    try:
        bank = _bank(library, encoder, snapshot)
    except (ValueError, OSError, MoviolaError) as error:
        _LOG.warning("hits have no probabilities: %s", error)
        return None
    return BankJudge(bank, general_calibration() if own is None else own.applied())


def prepare_judging(library: Library, encoder: Encoder) -> None:
    """Embed what `judge_for` will want of a library, so that its first search need not wait."""
    if (
        library.card.rows
        or library.card.calibration is not None
        or not any(map(_has_clips, library.videos()))
    ):
        return
    try:
        bank_directions(library, encoder)
    except (ValueError, OSError, MoviolaError) as error:
        _LOG.warning("hits will have no probabilities: %s", error)


def _has_clips(record: VideoRecord) -> bool:
    """Tell whether a video can be searched."""
    return record.code.has_clips


# What a bank scores on a snapshot takes as long as hundreds of searches, and never changes.
_BANKS: WeakKeyDictionary[Snapshot, BankStatistics] = WeakKeyDictionary()


def _bank(library: Library, encoder: Encoder, snapshot: Snapshot) -> BankStatistics:
    """Score the ordinary sentences on a snapshot, once."""
    found = _BANKS.get(snapshot)
    if found is None:
        found = score_bank(bank_directions(library, encoder), snapshot)
        _BANKS[snapshot] = found
    return found


def find_copies(
    best: NDArray[np.float64], first: int, scores: NDArray[np.floating], snapshot: Snapshot
) -> list[int]:
    """Find near-duplicates of a video among its best rivals.

    Args:
        best: `(V,)` what every video scores.
        first: place of the video.
        scores: `(n,)` what every clip scores.
        snapshot: the library as it is shown.

    Returns:
        Places of the near-duplicates.
    """
    copies: list[int] = []
    row = _best_row(snapshot, scores, first)
    left, rivals = best.copy(), 0
    left[first] = -np.inf
    for _ in range(min(_MOST_COPIES, len(best) - 1)):
        place = int(left.argmax())
        left[place] = -np.inf
        if _cosine(snapshot, row, _best_row(snapshot, scores, place)) >= NEAR:
            copies.append(place)
        else:
            rivals += 1
            if rivals == _RIVALS:
                break
    return copies


def _best_row(snapshot: Snapshot, scores: NDArray[np.floating], place: int) -> int:
    """Find the best clip of the video at `place`."""
    own = snapshot.video(place)
    return own.start + int(scores[own].argmax())


def _cosine(snapshot: Snapshot, first: int, second: int) -> float:
    """Compare the vectors of two clips."""
    one, other = snapshot.matrix[first], snapshot.matrix[second]
    norms = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / norms if norms > 0 else 0.0
