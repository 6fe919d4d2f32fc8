"""Lay out the column of `clips` in which each keeps several rows, for late interaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

ROWS = "rows"


@dataclass(frozen=True, slots=True)
class ClipRows:
    """Hold the rows of n clips, one clip after the other.

    Attributes:
        rows: `(m, D)`.
        offsets: `(n + 1,)`, clip i owns rows `offsets[i]:offsets[i + 1]`.
    """

    rows: NDArray[np.floating]
    offsets: NDArray[np.int64]

    def of(self, clip: int) -> NDArray[np.floating]:
        """Return the rows of one clip."""
        return self.rows[self.offsets[clip] : self.offsets[clip + 1]]

    def between(self, first: int, last: int) -> ClipRows:
        """Return the rows of neighbouring clips, from `first` to before `last`."""
        bounds = self.offsets[first : last + 1]
        return ClipRows(self.rows[bounds[0] : bounds[-1]], bounds - bounds[0])

    def take(self, clips: NDArray[np.int64]) -> ClipRows:
        """Take the rows of some clips, in their order."""
        first, counts = self.offsets[:-1][clips], np.diff(self.offsets)[clips]
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        places = np.arange(int(offsets[-1])) + np.repeat(first - offsets[:-1], counts)
        return ClipRows(self.rows[places], offsets)

    def unit(self) -> ClipRows:
        """Scale all rows to unit length, float32."""
        wide = self.rows.astype(np.float32)
        wide /= np.linalg.norm(wide, axis=1, keepdims=True)
        return ClipRows(wide, self.offsets)


def rows_field(number: pa.DataType, dimension: int) -> pa.Field:
    """Describe the column of rows of some numbers."""
    import pyarrow as pa

    return pa.field(ROWS, pa.list_(pa.list_(number, dimension)), nullable=False)


def rows_column(rows: Sequence[NDArray[np.floating]], field: pa.Field) -> pa.Array:
    """Make the column of each clip's rows `(n_i, D)`, in stored precision."""
    import pyarrow as pa

    inner = field.type.value_type
    together = np.concatenate(rows).astype(inner.value_type.to_pandas_dtype())
    offsets = np.cumsum([0, *map(len, rows)]).astype(np.int32)
    values = pa.FixedSizeListArray.from_arrays(pa.array(together.reshape(-1)), type=inner)
    return pa.ListArray.from_arrays(pa.array(offsets), values, type=field.type)


def rows_of(table: pa.Table) -> ClipRows | None:
    """Return the rows of each row of `clips`; None where a library keeps none."""
    if ROWS not in table.column_names:
        return None
    column = table.column(ROWS).combine_chunks()
    counts = column.value_lengths().to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    values = column.flatten().flatten().to_numpy(zero_copy_only=False)
    return ClipRows(values.reshape(-1, column.type.value_type.list_size), offsets)
