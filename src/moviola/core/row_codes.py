"""Write rows in fewer bits: eight a number, or its sign alone; and multiply them as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.float32]

CodeName = Literal["int8", "binary"]
CODES: tuple[CodeName, ...] = get_args(CodeName)

#: Numbers that are widened at a time: what is multiplied next is still in the cache.
_AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True)
class RowCodes:
    """Hold M rows of D numbers in few bits, near enough to choose what is scored exactly.

    A row stands for `centre + scale * code`, its code being whole numbers from -127 to 127, or
    signs, packed eight to a byte.

    Attributes:
        name: `"int8"` or `"binary"`.
        codes: `(M, D)` int8, or `(M, ceil(D / 8))` uint8, possibly memory-mapped.
        scales: `(M,)` float32.
        centre: `(D,)` float32; zeros for `"int8"`.
    """

    name: CodeName
    codes: NDArray[np.int8 | np.uint8]
    scales: Rows
    centre: Rows

    def __post_init__(self) -> None:
        width = self.centre.shape[-1] if self.name == "int8" else -(-self.centre.shape[-1] // 8)
        wanted = np.dtype(np.int8 if self.name == "int8" else np.uint8)
        if self.codes.shape != (len(self.scales), width) or self.codes.dtype != wanted:
            raise ValueError(
                f"{self.name} codes of {len(self.scales)} rows must be ({len(self.scales)}, "
                f"{width}) {wanted}, got {self.codes.shape} {self.codes.dtype}"
            )

    def __len__(self) -> int:
        return len(self.scales)

    @property
    def nbytes(self) -> int:
        """Return the bytes that codes and scales take in memory."""
        return self.codes.nbytes + self.scales.nbytes

    def take(self, rows: slice | NDArray[np.int64]) -> RowCodes:
        """Take some of the rows."""
        return RowCodes(self.name, self.codes[rows], self.scales[rows], self.centre)

    def multiply(self, queries: Rows) -> Rows:
        """Multiply queries `(q, D)` with what all rows stand for, `(q, M)` float32."""
        products = np.empty((len(queries), len(self)), np.float32)
        step = max(1, _AT_ONCE // max(1, queries.shape[1]))
        columns = np.ascontiguousarray(queries.T)
        for first in range(0, len(self), step):
            wide = self._wide(self.codes[first : first + step])
            products[:, first : first + step] = (wide @ columns).T
        products *= self.scales
        if self.name == "binary":
            products += (queries @ self.centre)[:, None]
        return products

    def widen(self) -> Rows:
        """Make the rows `(M, D)` float32 that the codes stand for."""
        return self._wide(self.codes) * self.scales[:, None] + self.centre

    def _wide(self, codes: NDArray[np.int8 | np.uint8]) -> Rows:
        """Widen codes to `(m, D)` float32 numbers."""
        if self.name == "int8":
            return codes.astype(np.float32)
        bits = np.unpackbits(codes.view(np.uint8), axis=1, count=len(self.centre))
        wide = bits.astype(np.float32)
        wide *= 2
        wide -= 1
        return wide


def encode_eight_bits(rows: Rows) -> RowCodes:
    """Divide each of some rows `(M, D)`, finite, by a 127th of its largest number: `int8` codes."""
    scales = np.abs(rows).max(axis=1, initial=0.0) / np.float32(127)
    steps = rows / np.where(scales > 0, scales, np.float32(1.0))[:, None]
    nothing = np.zeros(rows.shape[1], np.float32)
    return RowCodes("int8", np.rint(steps).astype(np.int8), scales.astype(np.float32), nothing)


def encode_signs(rows: Rows, centre: Rows) -> RowCodes:
    """Keep the signs of rows `(M, D)`, finite, less a centre `(D,)`: `binary` codes.

    The scale of a row is the mean size of what its signs stand for, which is the best for them
    (Rastegari et al., "XNOR-Net", 2016, equation 6). The centre is what rows have in common, such
    as their mean: signs of that would be the same in all.
    """
    apart = rows - centre
    scales = np.abs(apart).mean(axis=1)
    return RowCodes("binary", np.packbits(apart > 0, axis=1), scales.astype(np.float32), centre)


def concatenate_codes(parts: list[RowCodes]) -> RowCodes:
    """Put codes of one name and centre one after the other."""
    first = parts[0]
    return RowCodes(
        first.name,
        np.concatenate([part.codes for part in parts]),
        np.concatenate([part.scales for part in parts]),
        first.centre,
    )
