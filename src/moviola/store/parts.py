"""Keep what a writer has safely on disk before the store is finished: numbered parts.

A part is a file of rows and a file of items; the items appear last, so a part with items is whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from moviola.core import Clip, StoreCorruptError, Text, display_path
from moviola.store.card import Kind
from moviola.store.items import read_items, write_items
from moviola.store.shards import map_rows, write_rows

if TYPE_CHECKING:
    from moviola.core.embeddings import Rows


#: Rows of one item, or of neighbours: the file of a part, and where in it.
Piece: TypeAlias = tuple[Path, slice]


@dataclass(frozen=True, slots=True)
class Part:
    """Describe a finished part: its items, the rows each has, and the file the rows are in."""

    items: Sequence[Clip | Text]
    counts: Sequence[int]
    path: Path


def write_part(
    folder: Path, number: int, kind: Kind, items: Sequence[Clip | Text], rows: Sequence[Rows]
) -> Part:
    """Write items with their `(n_i, D)` rows as part `number`."""
    path = folder / f"part-{number:06d}.safetensors"
    counts = [len(block) for block in rows]
    # Whoever was interrupted right after the last step writes the part again, perhaps with more.
    path.with_suffix(".arrow").unlink(missing_ok=True)
    write_rows(path, np.concatenate(rows))
    write_items(path.with_suffix(".arrow"), kind, items, counts)
    return Part(items, counts, path)


def read_parts(folder: Path, kind: Kind) -> list[Part]:
    """Read the finished parts in order; what a kill left half-written is removed.

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


def item_pieces(parts: Sequence[Part]) -> list[Piece]:
    """List where the rows of every item lie, in the order in which they were appended."""
    pieces: list[Piece] = []
    for part in parts:
        begin = 0
        for count in part.counts:
            pieces.append((part.path, slice(begin, begin + count)))
            begin += count
    return pieces


def gather_shards(pieces: Sequence[Piece], limit: int) -> list[list[Piece]]:
    """Distribute items to shards in their order: whole items, at most `limit` rows a shard.

    An item of more rows than that gets a shard of its own. Neighbours in a part become one piece.
    """
    shards: list[list[Piece]] = []
    held = 0
    for path, rows in pieces:
        count = rows.stop - rows.start
        if not shards or held + count > limit:
            shards.append([])
            held = 0
        held += count
        if shards[-1]:
            before, last = shards[-1][-1]
            if before == path and last.stop == rows.start:
                shards[-1][-1] = (path, slice(last.start, rows.stop))
                continue
        shards[-1].append((path, rows))
    return shards


def shard_rows(pieces: Sequence[Piece]) -> Rows:
    """Read the rows of one shard, `(m, D)`."""
    mapped = {path: map_rows(path) for path in dict.fromkeys(path for path, _ in pieces)}
    return np.concatenate([mapped[path][rows] for path, rows in pieces])
