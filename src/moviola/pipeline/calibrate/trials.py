"""Search a library for captions whose videos are known, with and without those videos."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from moviola.core import Encoder
from moviola.library import Library, Snapshot
from moviola.retrieve.calibration.bank_statistics import BankStatistics
from moviola.retrieve.calibration.features import hit_features
from moviola.retrieve.calibration.general import general_calibration
from moviola.retrieve.calibration.judges import find_copies
from moviola.retrieve.calibration.kept_bank import bank_directions, score_bank
from moviola.retrieve.products import encode_directions, multiply_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TOGETHER = 32
_LATEST = 10


@dataclass(frozen=True, slots=True)
class LibraryTrials:
    """Hold what the general calibration says of searches with known answers, and the truth.

    Attributes:
        videos: `(2m,)` number of the video that each search is about, captions twice.
        right: `(2m,)` logits that first hits are right.
        holds: `(2m,)` logits that the library holds the thing.
        is_right: `(2m,)` whether the first hit is right.
        is_held: `(2m,)` whether the video is there.
        later: `(n,)` logits of second to tenth hits.
        later_right: `(n,)` whether they are right.
        later_videos: `(n,)` number of the video of their search.
    """

    videos: NDArray[np.int64]
    right: NDArray[np.float64]
    holds: NDArray[np.float64]
    is_right: NDArray[np.bool_]
    is_held: NDArray[np.bool_]
    later: NDArray[np.float64]
    later_right: NDArray[np.bool_]
    later_videos: NDArray[np.int64]


def search_captions(
    captions: Sequence[str],
    owners: Sequence[str],
    library: Library,
    encoder: Encoder,
    on_progress: Callable[[int, int], Any],
) -> LibraryTrials:
    """Search the library for each caption twice: as it is, and with its video taken away.

    Copies of the video go with it, and count as it.

    Args:
        captions: m captions.
        owners: the ids of their m videos, which have clips.
        library: holds them.
        encoder: the library's.
        on_progress: called with captions done and their number.
    """
    snapshot = library.snapshot()
    numbers = {video: number for number, video in enumerate(dict.fromkeys(owners))}
    found = _Searches(snapshot, score_bank(bank_directions(library, encoder), snapshot))
    for start in range(0, len(captions), _TOGETHER):
        part = captions[start : start + _TOGETHER]
        directions = np.stack(encode_directions(library, encoder, part))
        rows = multiply_rows(directions, snapshot.matrix)
        for scores, owner in zip(rows, owners[start : start + _TOGETHER], strict=True):
            found.add(scores, owner, numbers[owner])
        on_progress(start + len(part), len(captions))
    return found.trials()


class _Searches:
    """Searches one snapshot for captions, with and without their videos, and collects."""

    def __init__(self, snapshot: Snapshot, bank: BankStatistics) -> None:
        self._snapshot, self._bank = snapshot, bank
        self._first: list[tuple[int, float, float, bool, bool]] = []
        self._later: list[tuple[float, bool, int]] = []

    def trials(self) -> LibraryTrials:
        """Put everything into columns."""
        videos, right, holds, is_right, is_held = zip(*self._first, strict=True)
        logits, outcomes, about = zip(*self._later, strict=True)
        return LibraryTrials(
            np.array(videos),
            np.array(right),
            np.array(holds),
            np.array(is_right),
            np.array(is_held),
            np.array(logits),
            np.array(outcomes),
            np.array(about),
        )

    def add(self, scores: NDArray[np.float32], owner: str, number: int) -> None:
        """Judge the hits of one caption with its video `owner`, and without it."""
        general = general_calibration()
        place = self._snapshot.place_of(owner)
        if place is None:
            raise ValueError(f"the video {owner} has no clips in the library")
        best = np.maximum.reduceat(scores, self._snapshot.offsets[:-1]).astype(np.float64)
        own = {place, *find_copies(best, place, scores, self._snapshot)}
        for held in (True, False):
            shown = best.copy()
            if not held:
                shown[list(own)] = -np.inf
            hits = np.argsort(-shown, kind="stable")[:_LATEST]
            hits = hits[np.isfinite(shown[hits])]
            if not hits.size:
                continue
            values = shown[hits]
            shown[find_copies(shown, int(hits[0]), scores, self._snapshot)] = -np.inf
            features = hit_features(shown[None], hits[None], self._bank, values=values[None])[0]
            right = [held and place in own for place in hits.tolist()]
            logit = float(general.right.logits(features[:1])[0])
            holds = float(general.holds.logits(features[:1])[0])
            self._first.append((number, logit, holds, right[0], held))
            chances = general.later.logits(features[1:]).tolist()
            self._later += [(c, r, number) for c, r in zip(chances, right[1:], strict=True)]
