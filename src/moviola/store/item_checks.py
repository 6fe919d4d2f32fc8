"""Check items and their rows before a store takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np

from moviola.core import display_path
from moviola.store.card import Kind, RowType, StoreCard
from moviola.store.items import kind_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moviola.core import Clip, Text
    from moviola.core.embeddings import Rows


def require_item(item: Clip | Text, kind: Kind) -> None:
    """Refuse an item of another kind, or whose id is no text.

    Raises:
        ValueError: naming the item.
    """
    if kind_of(item) != kind:
        raise ValueError(f"{item.id!r} is not one of {kind}")
    try:
        item.id.encode()
    except UnicodeEncodeError:
        raise ValueError(f"the id {display_path(item.id)!r} is not valid Unicode") from None


def converted_rows(
    item: Clip | Text, rows: NDArray[np.float16 | np.float32], card: StoreCard
) -> Rows:
    """Convert the rows `(n, D)` of an item, n at least 1, to the dtype of a store.

    Raises:
        ValueError: when they have the wrong shape or dtype, or do not stay finite.
    """
    if rows.ndim != 2 or not len(rows) or rows.shape[1] != card.space.dimension:
        raise ValueError(f"{item.id!r} needs (n, {card.space.dimension}) rows, got {rows.shape}")
    if rows.dtype.name not in get_args(RowType):
        raise ValueError(f"{item.id!r} needs float16 or float32 rows, got {rows.dtype}")
    with np.errstate(over="ignore"):
        converted = np.array(rows, dtype=card.dtype)
    if not np.isfinite(converted).all():
        raise ValueError(f"{item.id!r} has rows that are not finite in {card.dtype}")
    return converted
