"""Open stores as `Embeddings`: items in memory, rows mapped from their shards."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np

from moviola.core import Clip, Embeddings, StoreCorruptError, Text, display_path
from moviola.store.card import ITEMS, FileSeal, StoreCard
from moviola.store.items import read_items
from moviola.store.shards import map_rows

_REMEDY = "delete the store and encode again"


def open_embeddings(folder: Path) -> Embeddings[Clip] | Embeddings[Text]:
    """Open the embeddings stored in `folder`; rows are read from disk where they are touched.

    Sizes are checked, contents are not: `verify` does that.

    Raises:
        StoreCorruptError: naming the file that is missing or damaged, and the way out.
    """
    card = StoreCard.read(folder)
    for name, seal in card.files.items():
        path = folder / name
        size = path.stat().st_size if path.is_file() else None
        if size != seal.bytes:
            found = "is missing" if size is None else f"has {size} bytes instead of {seal.bytes}"
            raise StoreCorruptError(f"{display_path(path)} {found}; {_REMEDY}")
    items, counts = read_items(folder / ITEMS, card.kind)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    shards = [map_rows(folder / name) for name in card.shards]
    if len(items) != card.items or int(offsets[-1]) != card.rows:
        raise StoreCorruptError(
            f"{display_path(folder / ITEMS)} holds {len(items)} items and {offsets[-1]} rows, "
            f"the card says {card.items} and {card.rows}; {_REMEDY}"
        )
    if any(shard.dtype.name != card.dtype for shard in shards):
        raise StoreCorruptError(
            f"{display_path(folder)} holds rows that are not {card.dtype}; {_REMEDY}"
        )
    try:
        made = Embeddings(items, offsets, shards, card.space, card.readout)
    except ValueError as error:
        raise StoreCorruptError(f"{display_path(folder)}: {error}; {_REMEDY}") from error
    return cast("Embeddings[Clip] | Embeddings[Text]", made)


def open_clips(folder: Path) -> Embeddings[Clip]:
    """Open the clips stored in `folder`.

    Raises:
        StoreCorruptError: as `open_embeddings`.
        ValueError: when the store holds texts.
    """
    return cast("Embeddings[Clip]", _open(folder, "clips"))


def open_texts(folder: Path) -> Embeddings[Text]:
    """Open the texts stored in `folder`.

    Raises:
        StoreCorruptError: as `open_embeddings`.
        ValueError: when the store holds clips.
    """
    return cast("Embeddings[Text]", _open(folder, "texts"))


def verify(folder: Path) -> StoreCard:
    """Read every byte of the store in `folder` and compare it with the card.

    Raises:
        StoreCorruptError: naming every file that is not what the card says.
    """
    card = StoreCard.read(folder)
    broken = [
        name
        for name, seal in card.files.items()
        if not (folder / name).is_file() or FileSeal.of(folder / name) != seal
    ]
    if broken:
        raise StoreCorruptError(
            f"{display_path(folder)}: {', '.join(broken)} changed since they were written; "
            f"{_REMEDY}"
        )
    open_embeddings(folder)
    return card


def _open(folder: Path, kind: str) -> Embeddings[Clip] | Embeddings[Text]:
    found = StoreCard.read(folder).kind
    if found != kind:
        raise ValueError(f"{display_path(folder)} holds {found}, not {kind}")
    return open_embeddings(folder)
