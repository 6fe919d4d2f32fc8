"""Make rows ready for comparing, and refuse what no scorer can take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import Clip, Embeddings, Text

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: What results of a comparison across spaces say of themselves, wherever they are shown.
UNALIGNED = "unaligned"


def notes_for(
    texts: Embeddings[Text], clips: Embeddings[Clip], *, unaligned: bool
) -> tuple[str, ...]:
    """Collect what scores of these two must say of themselves.

    Raises:
        SpaceMismatchError: when they live in two spaces and that was not asked for.
        ValueError: when it was, but their vectors differ in length.
    """
    if texts.space == clips.space:
        return ()
    if not unaligned:
        clips.space.require(texts.space, what="the text")
    if texts.space.dimension != clips.space.dimension:
        raise ValueError(
            f"texts of dimension {texts.space.dimension} and clips of dimension "
            f"{clips.space.dimension} have no cosine; align them first"
        )
    return (UNALIGNED,)


def require_pooled(texts: Embeddings[Text], clips: Embeddings[Clip], *, way_out: str) -> None:
    """Refuse items of several rows, and say the `way_out`.

    Raises:
        ValueError: naming the side that is not pooled.
    """
    for embeddings, what in ((texts, "texts"), (clips, "clips")):
        if not embeddings.is_pooled:
            raise ValueError(
                f"the {what} have {int(embeddings.offsets[-1])} rows for {len(embeddings)} items; "
                f"{way_out}"
            )


def plain_rows(embeddings: Embeddings[Text] | Embeddings[Clip]) -> NDArray[np.float32]:
    """Read all rows `(M, D)` as float32, as long as they are."""
    rows = np.empty((int(embeddings.offsets[-1]), embeddings.space.dimension), np.float32)
    for where, block in embeddings.blocks():
        rows[where] = block
    return rows


def unit_rows(embeddings: Embeddings[Text] | Embeddings[Clip]) -> NDArray[np.float32]:
    """Read all rows `(M, D)` as float32 of unit length.

    Raises:
        ValueError: naming the item whose row is zero, NaN or infinite.
    """
    rows = np.empty((int(embeddings.offsets[-1]), embeddings.space.dimension), np.float32)
    for where, block in unit_blocks(embeddings):
        rows[where] = block
    return rows


def unit_blocks(
    embeddings: Embeddings[Text] | Embeddings[Clip],
) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Yield ranges of rows and their rows as float32 of unit length, some at a time, in order.

    Raises:
        ValueError: naming the item whose row is zero, NaN or infinite.
    """
    for where, block in embeddings.blocks():
        wide = block.astype(np.float32)
        # Divided by its largest value first, so that no square of a long row overflows.
        largest = np.abs(wide).max(axis=1, keepdims=True, initial=0.0)
        usable = np.isfinite(largest) & (largest > 0)
        if not usable.all():
            _refuse(embeddings, where.start + int(np.flatnonzero(~usable)[0]))
        wide /= largest
        yield where, wide / np.sqrt(np.einsum("ij,ij->i", wide, wide))[:, None]


def _refuse(embeddings: Embeddings[Text] | Embeddings[Clip], row: int) -> None:
    item = int(np.searchsorted(embeddings.offsets, row, side="right")) - 1
    what = "is all zeros" if not embeddings.rows(item).any() else "holds NaN or infinity"
    raise ValueError(
        f"a vector of {embeddings.items[item].id!r} {what} and has no direction; "
        f"encode it again or leave it out"
    )
