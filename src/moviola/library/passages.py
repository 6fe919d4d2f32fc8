"""Choose the passages of one committed state of a library, as Arrow columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from moviola.library.records import VideoRecord

if TYPE_CHECKING:
    import pyarrow as pa

#: Columns that tell what a passage belongs to and when it is.
ORDERING_COLUMNS = ("video", "channel", "start", "end")
#: Columns that searching needs beside those; `words` and `box` are read of what was found.
PASSAGE_COLUMNS = ("id", "text", "language", "confidence")


def committed_passages(records: Sequence[VideoRecord], passages: pa.Table) -> pa.Table:
    """Keep the rows of `passages` that the records mark, ordered by video, start and end.

    Ties are in the order of channels.
    """
    videos = passages.column("video").combine_chunks().dictionary_encode()
    channels = passages.column("channel").combine_chunks().dictionary_encode()
    names = channels.dictionary.to_pylist()
    marked = {record.id: {mark.channel for mark in record.channels} for record in records}
    shown = np.array(
        [
            [name in marked.get(video, ()) for name in names]
            for video in videos.dictionary.to_pylist()
        ],
        np.bool_,
    ).reshape(-1, max(1, len(names)))
    owners, kinds = videos.indices.to_numpy(), channels.indices.to_numpy()
    if not len(owners):
        return passages
    ranks, kind_ranks = _ranks(videos.dictionary.to_pylist()), _ranks(names)
    keys = (
        kind_ranks[kinds],
        passages.column("end").to_numpy(),
        passages.column("start").to_numpy(),
        ranks[owners],
    )
    order = np.lexsort(keys)
    return passages.take(order[shown[owners, kinds][order]])


def _ranks(names: Sequence[str]) -> np.ndarray:
    """Return the place of each name among the sorted ones, `(n,)`."""
    ranks = np.empty(len(names), np.int64)
    ranks[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
    return ranks
