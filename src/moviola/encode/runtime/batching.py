"""Batches that shrink until they fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch

ItemT = TypeVar("ItemT")
RowsT = TypeVar("RowsT")


def run_batched(
    encode: Callable[[Sequence[ItemT]], Sequence[RowsT]], items: Sequence[ItemT], size: int
) -> list[RowsT]:
    """Encode all items, at most `size` at a time; half as many once memory runs out.

    Args:
        encode: one result for each of the items it is given, in their order.
        items: any number of them.
        size: items at a time, at least 1.

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
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
    return results


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    # CPU and MPS allocators raise a plain RuntimeError.
    words = str(error).lower()
    return "out of memory" in words or "can't allocate memory" in words
