"""Keep `Embeddings` on disk.

A store is a folder: `card.json` (what it holds, in which space, read how, with a checksum of each
file), `items.arrow` (the items and how many rows each has) and
`vectors-00000-of-0000N.safetensors` (the rows, in order, whole items to a shard). When one run
writes pooled and unpooled rows, they are two stores side by side in its folder: `pooled/` and
`rows/`.
"""

from moviola.store.card import StoreCard, is_store
from moviola.store.npy import read_npy_clips, read_npy_texts
from moviola.store.npy_writing import move_store_into_npy, replace_store_by_npy, write_npy
from moviola.store.reading import open_clips, open_embeddings, open_texts, verify
from moviola.store.sidecar import Sidecar
from moviola.store.writing import StoreWriter

__all__ = [
    "Sidecar",
    "StoreCard",
    "StoreWriter",
    "is_store",
    "move_store_into_npy",
    "open_clips",
    "open_embeddings",
    "open_texts",
    "read_npy_clips",
    "read_npy_texts",
    "replace_store_by_npy",
    "verify",
    "write_npy",
]
