"""Hold the data of an alignment experiment: both sides, their pairing, the test videos."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moviola.align.data.splitting import VideoSplit
from moviola.core import Clip, Embeddings, Qrels, Text
from moviola.core.embeddings import ItemT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class ExperimentData:
    """Hold both sides, the video of every text, and the parts of the videos.

    Attributes:
        name: what the data are, in a few words.
        texts: N texts, several rows each where they are unpooled.
        clips: M videos.
        owner: `(N,)` row of its video for every text.
        split: rows of the videos.
        after: the videos behind the LLaMA, in the same order; None where there are none.
        own_rows: which rows of a video behind the LLaMA are its own, from and up to; None where
            that is not known.
    """

    name: str
    texts: Embeddings[Text]
    clips: Embeddings[Clip]
    owner: Counts
    split: VideoSplit
    after: Embeddings[Clip] | None = None
    own_rows: tuple[int, int] | None = None

    @property
    def test_texts(self) -> Counts:
        """Return the rows of the texts of the test videos."""
        return np.flatnonzero(np.isin(self.owner, self.test_clips))

    @property
    def test_clips(self) -> Counts:
        """Return the rows of the test videos that have a text, in rising order."""
        assert self.split.test is not None  # noqa: S101 -- every maker of these data splits thrice
        return np.intersect1d(self.split.test, self.owner)

    def qrels(self, texts: Counts) -> Qrels:
        """Return the relevant video of each of some texts."""
        chosen: list[int] = texts.tolist()
        videos: list[int] = self.owner[texts].tolist()
        return Qrels(
            {
                self.texts.items[text].id: frozenset([self.clips.items[video].id])
                for text, video in zip(chosen, videos, strict=True)
            }
        )


def kept_rows(embeddings: Embeddings[ItemT], rows: slice) -> Embeddings[ItemT]:
    """Keep the rows of a slice of every item, or all where an item has none there."""
    kept = [
        found if len(found := (every := embeddings.rows(place))[rows]) else every
        for place in range(len(embeddings))
    ]
    return Embeddings.from_rows(embeddings.items, kept, embeddings.space, embeddings.readout)


def some_items(embeddings: Embeddings[ItemT], items: Counts) -> Embeddings[ItemT]:
    """Select some items, in the order given."""
    rows: list[int] = items.tolist()
    return Embeddings.from_rows(
        [embeddings.items[row] for row in rows],
        [embeddings.rows(row) for row in rows],
        embeddings.space,
        embeddings.readout,
    )
