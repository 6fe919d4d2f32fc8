"""Gather rows of items into the padded blocks with a mask that networks take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moviola.core.embeddings import Embeddings, ItemT

    Floats = NDArray[np.float16 | np.float32]
    Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class RaggedRows:
    """Hold the rows of N items of one side.

    Attributes:
        rows: `(M, D)` float32 or float16, possibly memory-mapped.
        offsets: `(N + 1,)` int64, item i owns rows `offsets[i]:offsets[i + 1]`, at least one.
    """

    rows: Floats
    offsets: Counts

    @classmethod
    def of(cls, embeddings: Embeddings[ItemT]) -> Self:
        """Take the rows of embeddings; they are copied only where several shards hold them."""
        shards = embeddings.shards
        rows = shards[0] if len(shards) == 1 else np.concatenate(shards)
        return cls(rows, embeddings.offsets)

    @classmethod
    def pooled(cls, rows: Floats) -> Self:
        """Take items that have one row each."""
        return cls(rows, np.arange(len(rows) + 1, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def is_pooled(self) -> bool:
        """Return whether every item has exactly one row."""
        return len(self.rows) == len(self)

    @property
    def dimension(self) -> int:
        """Return the length of a row."""
        return self.rows.shape[1]

    def some(self, items: Counts) -> RaggedRows:
        """Select some of the items, in the order given."""
        if self.is_pooled:
            return RaggedRows.pooled(self.rows[items])
        counts = self.offsets[items + 1] - self.offsets[items]
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        shift = np.repeat(self.offsets[items] - offsets[:-1], counts)
        return RaggedRows(self.rows[np.arange(offsets[-1]) + shift], offsets)

    def block(self, items: Counts) -> tuple[Tensor, Tensor]:
        """Pad some items to rows `(B, L, D)` float32 and a mask `(B, L)`."""
        if self.is_pooled:
            rows = torch.from_numpy(self.rows[items].astype(np.float32))[:, None]
            return rows, torch.ones(len(items), 1, dtype=torch.bool)
        counts = self.offsets[items + 1] - self.offsets[items]
        places = np.arange(int(counts.max()))
        there = places < counts[:, None]
        wanted = np.where(there, self.offsets[items][:, None] + places, 0)
        rows = self.rows[wanted].astype(np.float32)
        rows[~there] = 0
        return torch.from_numpy(rows), torch.from_numpy(there)
