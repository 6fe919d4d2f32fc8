"""Plant pairs: embeddings of two towers whose common meaning is known ("llm-two-view v1").

Frozen embeddings of videos and of captions as a language model gives them, without any model: a
world of concepts is drawn, every video shows some, every caption names some of those, and each
tower sees its concepts through a random map of its own, under nuisance, noise, a common mean, and
a few dimensions of massive activation. What can be known of the pairs at best is known (`oracle`),
so that a head can be held against it. The maps are 40 % linear, 60 % tanh, and all else is
Gaussian: that favours heads in closed form, and real data may not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moviola.synthetic.planted.views import Mixture, View
from moviola.synthetic.planted.world import LATENT, Described, Shown, World

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Counts = NDArray[np.int64]

#: Rows that are made at a time.
_BLOCK = 4096
#: Rows of a video in token mode, as a Q-Former with 32 queries gives.
QUERIES = 32


@dataclass(frozen=True, slots=True)
class PlantedPairs:
    """Hold videos, their captions, and which caption is whose.

    Attributes:
        videos: `(M, D)` rows of N videos; one each, or in token mode 32 each.
        video_offsets: `(N + 1,)`, video i owns rows `video_offsets[i]:video_offsets[i + 1]`.
        texts: rows of C captions, one each, or in token mode one a token, the first of which is
            the state at the start of the text.
        text_offsets: `(C + 1,)` likewise.
        owners: `(C,)` the video of each caption.
        oracle: `(C, N)` log-likelihood of each caption given each video, from the concepts
            themselves: what a reader of minds would score. None where it was not asked for.
    """

    videos: Floats
    video_offsets: Counts
    texts: Floats
    text_offsets: Counts
    owners: Counts
    oracle: Floats | None = None


@dataclass(frozen=True, slots=True)
class Planted:
    """Hold a draw: pairs to fit on, and pairs of other videos to test with."""

    train: PlantedPairs
    test: PlantedPairs


def plant(
    seed: int,
    *,
    dimension: int = 1024,
    videos: int = 7000,
    captions: int = 20,
    test_videos: int = 1000,
    tokens: bool = False,
    mixture: Mixture | None = None,
) -> Planted:
    """Draw from the generator; equal arguments give equal numbers.

    Args:
        seed: of everything that is drawn.
        dimension: D of both towers. From 2048 on signal is scarcer and noise more, or the many
            dimensions would make it easy.
        videos: N of the pairs to fit on.
        captions: captions a video there; a video of the test has one.
        test_videos: N of the test.
        tokens: whether rows stay unpooled.
        mixture: shares of signal and noise; None for those that fit the dimension.

    Raises:
        ValueError: when a number is too small to draw from.
    """
    if min(videos, captions, test_videos) < 1 or dimension < 8:
        raise ValueError("a draw needs a video, a caption, and 8 dimensions at least")
    rng = np.random.default_rng([seed, 0])
    world = World.draw(rng)
    mixture = Mixture.of(dimension) if mixture is None else mixture
    video_view = View.draw(rng, dimension, mixture, noise=2)
    text_view = View.draw(rng, dimension, mixture, noise=1, shared=video_view)
    towers = _Towers(world, video_view, text_view, _Queries.draw(rng, dimension))
    make = towers.unpooled if tokens else towers.pooled
    return Planted(
        train=make(np.random.default_rng([seed, 1]), videos, captions, oracle=False),
        test=make(np.random.default_rng([seed, 2]), test_videos, 1, oracle=True),
    )


@dataclass(frozen=True, slots=True)
class _Queries:
    """Draw what the video tower's queries look for `(32, K)`, and what they add `(32, D)`."""

    interest: Floats
    offset: Floats

    @classmethod
    def draw(cls, rng: np.random.Generator, dimension: int) -> _Queries:
        interest = np.exp(rng.standard_normal((QUERIES, World.CONCEPTS), np.float32))
        return cls(interest, 1.5 * rng.standard_normal((QUERIES, dimension), np.float32))


@dataclass(frozen=True, slots=True)
class _Towers:
    world: World
    video_view: View
    text_view: View
    queries: _Queries

    def pooled(
        self, rng: np.random.Generator, count: int, captions: int, *, oracle: bool
    ) -> PlantedPairs:
        """Make one row an item."""
        shown = self.world.show(rng, count)
        owners = np.repeat(np.arange(count), captions)
        described = self.world.describe(rng, shown, owners)
        return PlantedPairs(
            videos=_in_blocks(rng, self.video_view, self.world.of_videos(shown)),
            video_offsets=np.arange(count + 1),
            texts=_in_blocks(
                rng, self.text_view, self.world.of_captions(described), described.lengths
            ),
            text_offsets=np.arange(len(owners) + 1),
            owners=owners,
            oracle=self.world.likelihood(described, shown) if oracle else None,
        )

    def unpooled(
        self, rng: np.random.Generator, count: int, captions: int, *, oracle: bool
    ) -> PlantedPairs:
        """Make a row for each query of a video, and for each token of a caption."""
        shown = self.world.show(rng, count)
        owners = np.repeat(np.arange(count), captions)
        described = self.world.describe(rng, shown, owners)
        texts, lengths = self._token_rows(rng, described)
        return PlantedPairs(
            videos=self._query_rows(rng, shown),
            video_offsets=np.arange(count + 1) * QUERIES,
            texts=texts,
            text_offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            owners=owners,
            oracle=self.world.likelihood(described, shown) if oracle else None,
        )

    def _query_rows(self, rng: np.random.Generator, shown: Shown) -> Floats:
        """Make the rows of the queries; query 0 sees nothing and is the same for every video."""
        count = len(shown.concepts)
        nuisance = self.video_view.nuisance(rng, count)
        rows = np.empty((count, QUERIES, self.video_view.dimension), np.float32)
        for query in range(QUERIES):
            meaning = self.world.of_videos(shown, self.queries.interest[query])
            seen = self.video_view.see(rng, meaning, nuisance=nuisance)
            rows[:, query] = seen + self.queries.offset[query]
        rows[:, 0] = self.video_view.start
        return rows.reshape(-1, self.video_view.dimension)

    def _token_rows(
        self, rng: np.random.Generator, described: Described
    ) -> tuple[Floats, NDArray[np.int64]]:
        meaning, lengths = self.world.of_tokens(rng, described)
        owner = np.repeat(np.arange(len(lengths)), lengths)
        nuisance = self.text_view.nuisance(rng, len(lengths))[owner]
        rows = self.text_view.see(rng, meaning, nuisance=nuisance)
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        rows[starts] = self.text_view.start
        return rows, lengths


def _in_blocks(
    rng: np.random.Generator, view: View, meaning: Floats, lengths: Floats | None = None
) -> Floats:
    """Make what a tower sees `(N, D)`; with `lengths` `(N,)`, the text's start is pooled in."""
    if meaning.shape[1] != LATENT:
        raise ValueError(f"meanings are (N, {LATENT}), got {meaning.shape}")
    rows = np.empty((len(meaning), view.dimension), np.float32)
    for first in range(0, len(meaning), _BLOCK):
        some = slice(first, first + _BLOCK)
        rows[some] = view.see(rng, meaning[some])
        if lengths is not None:
            length = lengths[some, None]
            rows[some] = (rows[some] * length + view.start) / (length + 1)
    return rows
