"""What a writer has safely on disk before the store is finished: numbered parts.

A part is a file of rows and a file of items; the items appear last, so a part with items is whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import Clip, StoreCorruptError, Text, display_path
from moviola.store.card import Kind
from moviola.store.items import read_items, write_items
from moviola.store.shards import map_rows, write_rows

if TYPE_CHECKING:
    from moviola.core.embeddings import Rows


@dataclass(frozen=True, slots=True)
class Part:
    """One finished part: its items, the rows each has, and the file the rows are in."""

    items: Sequence[Clip | Text]
    counts: Sequence[int]
    path: Path


def write_part(
    folder: Path, number: int, kind: Kind, items: Sequence[Clip | Text], rows: Sequence[Rows]
) -> Part:
    """Writes items with their `(n_i, D)` rows as part `number`."""
    path = folder / f"part-{number:06d}.safetensors"
    counts = [len(block) for block in rows]
    write_rows(path, np.concatenate(rows))
    write_items(path.with_suffix(".arrow"), kind, items, counts)
    return Part(items, counts, path)


def read_parts(folder: Path, kind: Kind) -> list[Part]:
    """The finished parts in order; what a kill left half-written is removed.

    Raises:
        StoreCorruptError: when a part that was finished has been damaged since.
    """
    parts: list[Part] = []
    while (folder / f"part-{len(parts):06d}.arrow").is_file():
        path = folder / f"part-{len(parts):06d}.safetensors"
        items, counts = read_items(path.with_suffix(".arrow"), kind)
        if len(map_rows(path)) != int(counts.sum()):
            raise StoreCorruptError(
                f"{display_path(path)} does not fit its items; delete "
                f"{display_path(folder)} and encode again"
            )
        parts.append(Part(items, counts.tolist(), path))
    kept = {path for part in parts for path in (part.path, part.path.with_suffix(".arrow"))}
    for path in folder.glob("part-*"):
        if path not in kept:
            path.unlink()
    return parts


def gather_shards(parts: Sequence[Part], limit: int) -> list[list[tuple[Path, slice]]]:
    """Which rows of which part go into each shard: whole items, at most `limit` rows a shard.

    An item of more rows than that gets a shard of its own.
    """
    shards: list[list[tuple[Path, slice]]] = []
    held = 0
    for part in parts:
        begin = end = 0
        for count in part.counts:
            if not shards or held + count > limit:
                if end > begin:
                    shards[-1].append((part.path, slice(begin, end)))
                shards.append([])
                begin, held = end, 0
            end += count
            held += count
        shards[-1].append((part.path, slice(begin, end)))
    return shards


def shard_rows(pieces: Sequence[tuple[Path, slice]]) -> Rows:
    """The rows of one shard, `(m, D)`."""
    return np.concatenate(list(_mapped(pieces)))


def _mapped(pieces: Sequence[tuple[Path, slice]]) -> Iterator[Rows]:
    for path, rows in pieces:
        yield map_rows(path)[rows]
