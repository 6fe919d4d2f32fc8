"""`Embeddings`: one ragged container for the vectors of clips and of texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Self, TypeVar

import numpy as np

from moviola.core.items import Clip, Text
from moviola.core.spaces import Readout, Space

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.float16 | np.float32]

ItemT = TypeVar("ItemT", bound=Clip | Text)


@dataclass(frozen=True, slots=True)
class Embeddings(Generic[ItemT]):
    """Vectors of items, any number of rows an item.

    Attributes:
        items: what was embedded, N clips or N texts with distinct ids.
        offsets: `(N + 1,)` int64, item i owns rows `offsets[i]:offsets[i + 1]`, at least one.
        shards: row blocks `(m, D)`, float16 or float32, in order, possibly memory-mapped; an item
            may cross from one shard into the next.
        space: what these vectors may be compared with.
        readout: how the model was read.

    Raises:
        ValueError: when the parts do not fit together.
    """

    items: Sequence[ItemT]
    offsets: NDArray[np.int64]
    shards: Sequence[Rows]
    space: Space
    readout: Readout

    def __post_init__(self) -> None:
        if self.offsets.shape != (len(self.items) + 1,) or self.offsets.dtype != np.int64:
            raise ValueError(
                f"offsets must be ({len(self.items) + 1},) int64, "
                f"got {self.offsets.shape} {self.offsets.dtype}"
            )
        if self.offsets[0] != 0 or (np.diff(self.offsets) < 1).any():
            raise ValueError("offsets must start at 0 and give every item at least one row")
        for shard in self.shards:
            if shard.ndim != 2 or shard.shape[1] != self.space.dimension:
                raise ValueError(
                    f"rows must be (m, {self.space.dimension}) in this space, got {shard.shape}"
                )
            if shard.dtype.name not in ("float16", "float32"):
                raise ValueError(f"rows must be float16 or float32, got {shard.dtype}")
        total = sum(shard.shape[0] for shard in self.shards)
        if total != self.offsets[-1]:
            raise ValueError(f"offsets promise {self.offsets[-1]} rows, the shards hold {total}")
        if len({item.id for item in self.items}) != len(self.items):
            raise ValueError("items must have distinct ids")

    @classmethod
    def from_rows(
        cls, items: Sequence[ItemT], rows: Sequence[Rows], space: Space, readout: Readout
    ) -> Self:
        """Make embeddings from one `(n_i, D)` array an item, kept in one shard."""
        counts = [array.shape[0] for array in rows]
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        shards = [np.concatenate(rows)] if rows else []
        return cls(items, offsets, shards, space, readout)

    def __len__(self) -> int:
        return len(self.items)

    @property
    def vectors(self) -> Rows:
        """Return all rows `(M, D)`, where one shard holds everything.

        Raises:
            ValueError: when the rows lie in several shards; use `blocks`.
        """
        if len(self.shards) != 1:
            raise ValueError(
                f"the rows lie in {len(self.shards)} shards; go through blocks() instead"
            )
        return self.shards[0]

    @property
    def is_pooled(self) -> bool:
        """Tell whether every item has exactly one row."""
        return int(self.offsets[-1]) == len(self.items)

    def rows(self, index: int) -> Rows:
        """Return the rows `(n_i, D)` of item `index`."""
        if not 0 <= index < len(self.items):
            raise IndexError(f"item {index} of {len(self.items)}")
        first, last = int(self.offsets[index]), int(self.offsets[index + 1])
        parts: list[Rows] = []
        begin = 0
        for shard in self.shards:
            end = begin + shard.shape[0]
            if first < end and begin < last:
                parts.append(shard[max(first - begin, 0) : last - begin])
            begin = end
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def blocks(self, size: int = 8192) -> Iterator[tuple[slice, Rows]]:
        """Yield ranges of rows and their rows, at most `size` rows at a time, in order."""
        begin = 0
        for shard in self.shards:
            for first in range(0, shard.shape[0], size):
                rows = shard[first : first + size]
                yield slice(begin + first, begin + first + rows.shape[0]), rows
            begin += shard.shape[0]
