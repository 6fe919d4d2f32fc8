"""Hold the passages of a library in columns, beside the index of their words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from moviola.core.passages import Passage, Word, passage_id
from moviola.core.spans import Span
from moviola.library.text_index.files import KeyedSegment, match_keys, passage_keys
from moviola.library.text_index.index import TextIndex
from moviola.library.text_index.segment import Segment

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

# From ids of passages, and the ids of their rows, to the words with times of those that have some.
ReadWords = Callable[[Sequence[str], Sequence[int]], "dict[str, tuple[Word, ...]]"]
# Channels that ship and never know the times of words.
_WORDLESS = frozenset({"subtitles", "names", "writing"})


@dataclass(frozen=True, slots=True, eq=False)
class IndexedPassages:
    """Hold n passages that can be searched by words; some numbers may stand for none.

    Attributes:
        index: of their texts; `index.alive` says which numbers stand for a passage.
        video_ids: the V videos that have some.
        videos: `(n,)` places of their videos in `video_ids`.
        channel_names: the channels that found some.
        channels: `(n,)` places of their channels in `channel_names`.
        spans: `(n, 2)` starts and ends in seconds.
        segments: what the index is made of, with the keys of its texts.
    """

    index: TextIndex
    video_ids: Sequence[str]
    videos: NDArray[np.int32]
    channel_names: Sequence[str]
    channels: NDArray[np.int32]
    spans: NDArray[np.float64]
    segments: Sequence[KeyedSegment] = field(repr=False)
    _rows: NDArray[np.int64] = field(repr=False)
    _ids: pa.ChunkedArray = field(repr=False)
    _row_ids: NDArray[np.int64] | None = field(repr=False)
    _texts: pa.Array = field(repr=False)
    _read_words: ReadWords = field(repr=False)

    @classmethod
    def of(cls, passages: Sequence[Passage]) -> Self:
        """Index passages in memory."""
        import pyarrow as pa

        columns = {
            "id": [passage_id(passage) for passage in passages],
            "video": [passage.video for passage in passages],
            "channel": [passage.channel for passage in passages],
            "start": [passage.span.start for passage in passages],
            "end": [passage.span.end for passage in passages],
            "text": [passage.text for passage in passages],
        }
        kinds = [pa.string(), pa.string(), pa.string(), pa.float64(), pa.float64(), pa.string()]
        schema = pa.schema(list(zip(columns, kinds, strict=True)))
        words = {passage_id(passage): passage.words for passage in passages}
        table = pa.table(columns, schema=schema)
        return cls.of_table(table, (), lambda ids, _: {each: words[each] for each in ids})

    @classmethod
    def of_table(
        cls, table: pa.Table, known: Sequence[KeyedSegment], read_words: ReadWords
    ) -> Self:
        """Index the rows of a table of passages; those of `known` segments need no work.

        Args:
            table: columns `id`, `video`, `channel`, `start`, `end`, `text`; `_rowid` where it is
                known.
            known: segments of passages, of which some may be gone.
            read_words: reads the times of words.
        """
        keys = passage_keys(table.column("id"))
        alive, fresh = match_keys([each.keys for each in known], keys)
        used = [pair for pair in zip(known, alive, strict=True) if pair[1].any()]
        segments, masks = [each for each, _ in used], [mask for _, mask in used]
        if fresh.size:
            texts = table.column("text").take(fresh).to_pylist()
            segments.append(KeyedSegment(keys[fresh], Segment.of(texts)))
            masks.append(np.ones(fresh.size, np.bool_))
        everything = np.concatenate([np.zeros(0, np.uint64), *(each.keys for each in segments)])
        order = np.argsort(keys, kind="stable")
        at = np.minimum(np.searchsorted(keys[order], everything), max(keys.size - 1, 0))
        rows = order[at] if keys.size else at
        videos = table.column("video").combine_chunks().dictionary_encode()
        channels = table.column("channel").combine_chunks().dictionary_encode()
        spans = np.stack([table.column("start").to_numpy(), table.column("end").to_numpy()], 1)
        return cls(
            TextIndex(
                [each.segment for each in segments],
                np.concatenate([np.zeros(0, np.bool_), *masks]),
            ),
            videos.dictionary.to_pylist(),
            videos.indices.to_numpy().astype(np.int32)[rows],
            channels.dictionary.to_pylist(),
            channels.indices.to_numpy().astype(np.int32)[rows],
            spans[rows],
            segments,
            rows,
            table.column("id"),
            table.column("_rowid").to_numpy() if "_rowid" in table.column_names else None,
            table.column("text").combine_chunks(),  # a chunk is looked for anew for every text
            read_words,
        )

    def __len__(self) -> int:
        return len(self.index)

    def text(self, number: int) -> str:
        """Return the text of a passage."""
        return self._texts[int(self._rows[number])].as_py()

    def passages(self, numbers: Sequence[int]) -> dict[int, Passage]:
        """Return passages by their numbers, with the times of their words; without boxes."""
        found: dict[int, Passage] = {}
        ids: dict[int, str] = {}
        for number in numbers:
            start, end = self.spans[number].tolist()
            channel = self.channel_names[int(self.channels[number])]
            found[number] = Passage(
                self.video_ids[int(self.videos[number])],
                Span(start, end),
                self.text(number),
                channel,
            )
            if channel not in _WORDLESS:
                ids[number] = self._ids[int(self._rows[number])].as_py()
        words: dict[str, tuple[Word, ...]] = {}
        if ids:
            rows = self._rows[[*ids]]
            row_ids = [] if self._row_ids is None else self._row_ids[rows].tolist()
            words = self._read_words(list(ids.values()), row_ids)
        for number, key in ids.items():
            found[number] = replace(found[number], words=words.get(key, ()))
        return found
