"""Encode in batches: of like lengths, and smaller once memory runs out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import torch

ItemT = TypeVar("ItemT")
RowsT = TypeVar("RowsT")


def run_batched(
    encode: Callable[[Sequence[ItemT]], Sequence[RowsT]],
    items: Sequence[ItemT],
    size: int,
    *,
    on_halved: Callable[[int], None] = lambda _: None,
) -> list[RowsT]:
    """Encode all items, at most `size` at a time; half as many once memory runs out.

    Args:
        encode: one result for each of the items it is given, in their order.
        items: any number of them.
        size: items at a time, at least 1.
        on_halved: told the new size, so that later calls need not find it again.

    Raises:
        MemoryError: when even a single item does not fit.
    """
    results: list[RowsT] = []
    while len(results) < len(items):
        part = items[len(results) : len(results) + size]
        try:
            results += encode(part)
        except (MemoryError, RuntimeError) as error:
            if not _is_out_of_memory(error):
                raise
            shortage = str(error).split("\n", maxsplit=1)[0]
        else:
            continue
        # Outside the handler: the exception's frames hold the tensors that did not fit.
        if len(part) == 1:
            raise MemoryError(f"one item of a batch does not fit into memory: {shortage}")
        size = (len(part) + 1) // 2
        on_halved(size)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
    return results


def run_packed(
    encode: Callable[[Sequence[ItemT]], Sequence[RowsT]],
    items: Sequence[ItemT],
    lengths: Sequence[int],
    positions: int,
) -> list[RowsT]:
    """Encode items of several lengths; those of like lengths share a batch.

    Args:
        encode: one result for each of the items it is given, in their order.
        items: any number of them.
        lengths: of each item.
        positions: of a padded batch at most, unless one item alone is longer.

    Raises:
        MemoryError: when even a single item does not fit.
    """
    found: dict[int, RowsT] = {}
    for places in pack(lengths, positions):
        batch = [items[place] for place in places]
        found.update(zip(places, run_batched(encode, batch, len(batch)), strict=True))
    return [found[place] for place in range(len(items))]


def pack(lengths: Sequence[int], positions: int) -> Iterator[list[int]]:
    """Pack places of `lengths` into batches of at most `positions` when padded, longest first.

    Longest first, so that memory runs out at once if it runs out.
    """
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
        if batch and lengths[batch[0]] * (len(batch) + 1) > positions:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    # CPU and MPS allocators raise a plain RuntimeError.
    words = str(error).lower()
    return "out of memory" in words or "can't allocate memory" in words
