"""Match a query with the passages of a library that it asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import numpy as np

from moviola.library import Library, VideoFilter, VideoRecord
from moviola.library.text_index import IndexedPassages
from moviola.retrieve.fusion import Evidence
from moviola.retrieve.meaning.searching import MeaningIndex, WindowHit
from moviola.retrieve.meaning.vectors import TextEncoder
from moviola.retrieve.parsing import Term, group_of, phrase_words
from moviola.retrieve.query import Query
from moviola.retrieve.words.matching import LEAST_PROBABILITY, Matches, match_passages

if TYPE_CHECKING:
    from numpy.typing import NDArray

# People type while filters stay.
_MASKS_KEPT = 16


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """Hold what a library reads of its videos.

    Attributes:
        passages: of text.
        records: of the videos, by their ids.
        meaning: windows of passages with vectors, where there is a model of texts.
    """

    passages: IndexedPassages
    records: Mapping[str, VideoRecord]
    meaning: MeaningIndex | None = None
    _masks: dict[tuple[VideoFilter | None, frozenset[str] | None], NDArray[np.bool_]] = field(
        default_factory=dict, repr=False
    )

    @classmethod
    def of(cls, library: Library, encoder: TextEncoder | None = None) -> Self | None:
        """Load the passages of a library, None where there are none.

        Args:
            library: an open library.
            encoder: compares passages by their meaning; None for words alone.

        Raises:
            StoreCorruptError: when the tables are damaged.
        """
        passages = library.indexed_passages()
        if not passages.index.count:
            return None
        records = {record.id: record for record in library.videos()}
        meaning = None
        if encoder is not None:
            own = [records[video] for video in passages.video_ids]
            meaning = MeaningIndex.of(library, passages, own, encoder)
        return cls(passages, records, meaning)

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

    def evidence(self, query: Query, step: int, matches: Matches) -> list[Evidence]:
        """Present what texts say to a step as evidence, ranked within its channel and part.

        What a channel says by its words and by their meaning is one source, and counts once.
        """
        ranks: Counter[tuple[str, int]] = Counter()
        found: list[Evidence] = []
        for hit in matches.hits:
            source = hit.group, hit.part
            ranks[source] += 1
            video = self.passages.video_ids[hit.video]
            found.append(
                Evidence(
                    video,
                    hit.start,
                    hit.end,
                    source,
                    hit.probability,
                    ranks[source],
                    hit.is_exact,
                    0.0 if hit.part else hit.compared.query_share,
                    hit,
                )
            )
        ranks.clear()
        for hit in self._meant(query, step):
            source = group_of(hit.channel), 0
            ranks[source] += 1
            window = hit.window
            video = self.passages.video_ids[window.video]
            chance, rank = hit.probability, ranks[source]
            found.append(Evidence(video, window.start, window.end, source, chance, rank, hit=hit))
        return found

    def _meant(self, query: Query, step: int) -> list[WindowHit]:
        """Find the windows that mean what a step says."""
        text = query.steps[step].text
        if self.meaning is None or not text:
            return []
        videos, channels = self._asked(query, query.filters)
        admitted = np.array(
            [videos[each.video] and channels[each.channel] for each in self.meaning.windows],
            np.bool_,
        )
        hits = self.meaning.find(text, admitted)
        return [hit for hit in hits if hit.probability >= LEAST_PROBABILITY]

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
        key = filters, query.channels
        found = self._masks.get(key)
        if found is None:
            videos, channels = self._asked(query, filters)
            found = (
                videos[self.passages.videos]
                & channels[self.passages.channels]
                & self.passages.index.alive
            )
            if len(self._masks) >= _MASKS_KEPT:
                self._masks.clear()
            self._masks[key] = found
        return found

    def _asked(
        self, query: Query, filters: VideoFilter | None
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Mask the videos and the channels that are searched."""
        chosen = filters or VideoFilter()
        videos = [
            video in self.records and chosen.admits(self.records[video])
            for video in self.passages.video_ids
        ]
        channels = [query.asks(name) for name in self.passages.channel_names]
        return np.array(videos, np.bool_), np.array(channels, np.bool_)


def is_met(
    spans_of: Mapping[str, NDArray[np.float64]], video: str, start: float, end: float
) -> bool:
    """Test whether one of the spans of a video shares time with a stretch of it."""
    spans = spans_of.get(video)
    return spans is not None and bool(((spans[:, 0] < end) & (spans[:, 1] > start)).any())
