"""Join the parts of a writer into the files of a store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moviola.store.card import CARD, ITEMS, FileSeal, StoreCard
from moviola.store.items import write_items
from moviola.store.parts import Part, gather_shards, item_pieces, shard_rows
from moviola.store.shards import publish, write_rows

if TYPE_CHECKING:
    from moviola.core import Clip, Text


def write_store(
    folder: Path,
    begun: StoreCard,
    parts: Sequence[Part],
    most: int,
    order: Callable[[Clip | Text], Any] | None,
) -> StoreCard:
    """Write shards, items and the card, which comes last, into `folder`, and return the card.

    Args:
        folder: is there, and empty.
        begun: what is known before anything is counted.
        parts: on disk.
        most: rows of a shard at most.
        order: gives the key by which items are sorted; None keeps the order of the parts.
    """
    items = [item for part in parts for item in part.items]
    pieces = item_pieces(parts)
    if order is not None:
        places = sorted(range(len(items)), key=lambda place: order(items[place]))
        items, pieces = [items[place] for place in places], [pieces[place] for place in places]
    shards = gather_shards(pieces, most)
    names = [f"vectors-{i:05d}-of-{len(shards):05d}.safetensors" for i in range(len(shards))]
    for name, held in zip(names, shards, strict=True):
        write_rows(folder / name, shard_rows(held))
    counts = [rows.stop - rows.start for _, rows in pieces]
    write_items(folder / ITEMS, begun.kind, items, counts)
    card = replace(
        begun,
        items=len(items),
        rows=sum(counts),
        files={name: FileSeal.of(folder / name) for name in [ITEMS, *names]},
    )
    temporary = folder / (CARD + ".tmp")
    temporary.write_text(card.to_json(), encoding="ascii")
    publish(temporary, folder / CARD)
    return card
