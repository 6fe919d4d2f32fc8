"""Gather covariances of standardised pairs part by part, so that parts can be left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from moviola.align.head.side import Side

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Counts = NDArray[np.int64]

#: Captions that are standardised at a time.
_BLOCK = 8192
#: Captions a dimension beyond which the covariance of texts is known well enough, and captions a
#: video that are then looked at.
_ENOUGH, _FEW = 32, 4


@dataclass(frozen=True, eq=False)
class Pairs:
    """Hold pooled rows of both sides, their pairing, and the statistics of each side.

    Attributes:
        texts: `(N, D_t)` as stored.
        clips: `(M, D_v)` as stored.
        owner: `(N,)` row of its clip for every text.
        text_side: of the texts.
        clip_side: of the clips.
    """

    texts: NDArray[np.floating]
    clips: NDArray[np.floating]
    owner: Counts
    text_side: Side
    clip_side: Side

    def text_rows(self, texts: Counts) -> Floats:
        """Standardise some texts to `(n, D_t)`."""
        return self.text_side.standardise(self.texts[texts])

    def clip_rows(self, clips: Counts) -> Floats:
        """Standardise some clips to `(n, D_v)`."""
        return self.clip_side.standardise(self.clips[clips])

    @cached_property
    def order(self) -> Counts:
        """Return the texts `(N,)` ordered by the clip that they describe."""
        return np.argsort(self.owner, kind="stable")

    @cached_property
    def starts(self) -> Counts:
        """Return where the texts of each clip begin in `order`, `(M + 1,)`."""
        counts = np.bincount(self.owner, minlength=len(self.clips))
        return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    @cached_property
    def captioned(self) -> Counts:
        """Return the rows of clips that a text describes, in rising order."""
        return np.flatnonzero(np.diff(self.starts))

    def texts_of(self, clips: Counts) -> tuple[Counts, Counts]:
        """Return the texts of some clips in their order, and the place of each text's clip."""
        counts = self.starts[clips + 1] - self.starts[clips]
        place = np.repeat(np.arange(len(clips)), counts)
        within = np.arange(len(place)) - np.repeat(np.cumsum(counts) - counts, counts)
        return self.order[self.starts[clips][place] + within], place


@dataclass(frozen=True, slots=True, eq=False)
class Covariance:
    """Hold weighted sums of products over pairs, and the sum of weights.

    A video of c captions weighs the square root of c: between weighing videos alike, which drowns
    what many captions know, and weighing captions alike, which drowns the videos that have one.
    All three sums weigh alike, or directions that only some videos vary in would be shrunk in one
    and not in the other.

    Attributes:
        texts: `(D_t, D_t)` of captions with themselves.
        clips: `(D_v, D_v)` of videos with themselves.
        cross: `(D_t, D_v)` of the mean caption with its video.
        weight: what the sums are divided by to be means.
    """

    texts: Tensor
    clips: Tensor
    cross: Tensor
    weight: float

    def __add__(self, other: Covariance) -> Covariance:
        return Covariance(
            self.texts + other.texts,
            self.clips + other.clips,
            self.cross + other.cross,
            self.weight + other.weight,
        )

    def mean(self) -> Covariance:
        """Divide the sums by the sum of weights."""
        weight = self.weight
        return Covariance(self.texts / weight, self.clips / weight, self.cross / weight, 1.0)


def gather(pairs: Pairs, clips: Counts, *, seed: int) -> Covariance:
    """Gather the covariance of some clips and their captions.

    The cross-covariance is of the mean of all captions of a video, which is exact. Where there are
    many more captions than dimensions, that of captions is of four a video, drawn at random.

    Args:
        pairs: all pairs.
        clips: rows of the clips to look at; each has a caption.
        seed: of the choice of captions.
    """
    rng = np.random.default_rng(seed)
    sizes = (pairs.texts.shape[1], pairs.clips.shape[1])
    texts, videos, cross = (
        torch.zeros(shape) for shape in ((sizes[0],) * 2, (sizes[1],) * 2, sizes)
    )
    most = _FEW if len(pairs.texts) > _ENOUGH * sizes[0] else len(pairs.texts)
    total = 0.0
    for some in _blocks(pairs, clips):
        rows, place = pairs.texts_of(some)
        captions, videos_here = pairs.text_rows(rows), pairs.clip_rows(some)
        counts = np.bincount(place)
        weights = np.sqrt(counts)
        begins = np.cumsum(counts) - counts
        sums = torch.zeros(len(some), sizes[0])
        sums.index_add_(0, torch.from_numpy(place), torch.from_numpy(captions))
        kept = _some_of_each(rng, place, begins, most)
        share = (weights / np.minimum(counts, most))[place[kept]]
        _add_square(texts, captions[kept], share)
        _add_square(videos, videos_here, weights)
        sums *= torch.from_numpy((weights / counts).astype(np.float32))[:, None]
        cross.addmm_(sums.T, torch.from_numpy(videos_here))
        total += float(weights.sum())
    return Covariance(texts, videos, cross, total)


@dataclass(frozen=True, slots=True)
class PartedCovariance:
    """Hold the sums of all clips part by part, so that any parts can be left out.

    Attributes:
        rest: of the clips that are in no part.
        parts: of each part.
    """

    rest: Covariance
    parts: Sequence[Covariance]

    def without(self, *left_out: int) -> Covariance:
        """Return the covariance of all clips except those of some parts, by their numbers."""
        whole = self.rest
        for number, part in enumerate(self.parts):
            if number not in left_out:
                whole = whole + part
        return whole.mean()


def gather_parts(pairs: Pairs, parts: Sequence[Counts], *, seed: int) -> PartedCovariance:
    """Gather the sums of each part, and of the clips that are in none.

    Args:
        pairs: all pairs.
        parts: disjoint rows of captioned clips.
        seed: of the choice of captions.
    """
    inside = np.concatenate([*parts, np.zeros(0, np.int64)])
    rest = gather(pairs, np.setdiff1d(pairs.captioned, inside), seed=seed)
    own = [gather(pairs, part, seed=seed + 1 + number) for number, part in enumerate(parts)]
    return PartedCovariance(rest, own)


def _blocks(pairs: Pairs, clips: Counts) -> Iterator[Counts]:
    """Split clips into blocks of about `_BLOCK` captions."""
    upto = np.cumsum(pairs.starts[clips + 1] - pairs.starts[clips])
    begin = 0
    while begin < len(clips):
        done = upto[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(upto, done + _BLOCK, side="right")))
        yield clips[begin:end]
        begin = end


def _some_of_each(
    rng: np.random.Generator, place: Counts, begins: Counts, most: int
) -> Counts | slice:
    """Draw at most `most` captions of each clip at random."""
    if np.bincount(place).max() <= most:
        return slice(None)
    shuffled = np.lexsort((rng.random(len(place)), place))
    return shuffled[np.arange(len(place)) - begins[place] < most]


def _add_square(total: Tensor, rows: Floats, weights: NDArray[np.float64]) -> None:
    scaled = torch.from_numpy((rows * np.sqrt(weights)[:, None]).astype(np.float32))
    total.addmm_(scaled.T, scaled)
