"""Match a query with the passages of a library that it asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from moviola.library import Library, VideoFilter, VideoRecord
from moviola.library.text_index import IndexedPassages
from moviola.retrieve.fusion import Evidence
from moviola.retrieve.parsing import Term, phrase_words
from moviola.retrieve.query import Query
from moviola.retrieve.words.matching import Matches, match_passages

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """Hold the passages of a library, and its videos by their ids."""

    passages: IndexedPassages
    records: Mapping[str, VideoRecord]

    @classmethod
    def of(cls, library: Library) -> Self | None:
        """Load the passages of a library, None where there are none.

        Raises:
            StoreCorruptError: when the tables are damaged.
        """
        passages = library.indexed_passages()
        if not passages.index.count:
            return None
        return cls(passages, {record.id: record for record in library.videos()})

    def match(self, query: Query, filters: VideoFilter | None) -> list[Matches]:
        """Match each step of a query with the passages of the channels and videos it asks."""
        admitted = self._admitted(query, filters)
        unwanted = [Term(text, phrase_words(text)) for text in query.unwanted]
        return [
            match_passages(
                step.text, step.terms, [*step.barred, *unwanted], self.passages, admitted
            )
            for step in query.steps
        ]

    def evidence(self, matches: Matches) -> list[Evidence]:
        """Present the hits of a step as evidence, ranked within their channel and part."""
        ranks: dict[tuple[str, int], int] = {}
        found: list[Evidence] = []
        for place, hit in enumerate(matches.hits):
            source = hit.group, hit.part
            ranks[source] = rank = ranks.get(source, 0) + 1
            found.append(
                Evidence(
                    self.passages.video_ids[hit.video],
                    hit.start,
                    hit.end,
                    source,
                    hit.probability,
                    rank,
                    hit.is_exact,
                    place,
                )
            )
        return found

    def spans_by_video(self, mask: NDArray[np.bool_]) -> dict[str, NDArray[np.float64]]:
        """List the `(k, 2)` spans of the passages of a mask `(n,)`, by their videos."""
        numbers = np.flatnonzero(mask)
        videos = self.passages.videos[numbers]
        numbers = numbers[np.argsort(videos, kind="stable")]
        videos = np.sort(videos)
        firsts = np.flatnonzero(np.diff(videos, prepend=-1))
        parts = np.split(self.passages.spans[numbers], firsts[1:]) if numbers.size else []
        names = [str(self.passages.video_ids[place]) for place in videos[firsts].tolist()]
        return dict(zip(names, parts, strict=True))

    def _admitted(self, query: Query, filters: VideoFilter | None) -> NDArray[np.bool_]:
        """Mask the passages that are searched, `(n,)`."""
        chosen = filters or VideoFilter()
        videos = [
            video in self.records and chosen.admits(self.records[video])
            for video in self.passages.video_ids
        ]
        channels = [query.asks(name) for name in self.passages.channel_names]
        return (
            np.array(videos, np.bool_)[self.passages.videos]
            & np.array(channels, np.bool_)[self.passages.channels]
            & self.passages.index.alive
        )


def is_met(
    spans_of: Mapping[str, NDArray[np.float64]], video: str, start: float, end: float
) -> bool:
    """Test whether one of the spans of a video shares time with a stretch of it."""
    spans = spans_of.get(video)
    return spans is not None and bool(((spans[:, 0] < end) & (spans[:, 1] > start)).any())
