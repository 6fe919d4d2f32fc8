"""Write one `.npy` an item, and beside them the sidecar that tells what the vectors are."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import BinaryIO

import numpy as np

from moviola.core import Clip, Embeddings, StorageError, Text, display_path
from moviola.store.card import RowType, StoreCard
from moviola.store.items import kind_of
from moviola.store.npy import file_name
from moviola.store.reading import open_embeddings
from moviola.store.sidecar import Sidecar


def write_npy(
    embeddings: Embeddings[Clip] | Embeddings[Text], folder: Path, sidecar: Sidecar | None = None
) -> None:
    """Write one file an item into a new folder, which is there as a whole or not at all.

    Args:
        embeddings: N items, with one or several rows each.
        folder: the folder, which must not exist.
        sidecar: what is told of the vectors; None tells their space and readout, and nothing of
            vectors in the anonymous space.

    Raises:
        FileExistsError: when the folder exists, or two ids want one file (on file systems that
            take capitals for small letters).
        ValueError: when an id cannot be a file name.
        StorageError: when the disk refuses.
    """
    if folder.exists():
        raise FileExistsError(f"{display_path(folder)} exists already")
    names = [file_name(item.id) for item in embeddings.items]
    if sidecar is None and len(embeddings) and not embeddings.space.is_anonymous:
        kind, dtype = kind_of(embeddings.items[0]), embeddings.rows(0).dtype
        narrow: RowType = "float16" if dtype == np.float16 else "float32"
        sidecar = Sidecar(kind, embeddings.space, embeddings.readout, narrow)
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        for index, name in enumerate(names):
            with (partial / name).open("xb") as file:
                _save(file, embeddings, index)
        if sidecar is not None:
            sidecar.write(partial)
        partial.rename(folder)
    except FileExistsError:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise _refused(folder, error) from error


def replace_store_by_npy(folder: Path) -> None:
    """Turn a finished store into one `.npy` an item with a sidecar, under the same name.

    Raises:
        StoreCorruptError: when there is no readable store.
        ValueError, FileExistsError, StorageError: as `write_npy`; the store stays.
    """
    made = folder.with_name(folder.name + ".npy")
    store = folder.with_name(folder.name + ".store")
    write_npy(open_embeddings(folder), made, Sidecar.of(StoreCard.read(folder)))
    folder.rename(store)
    made.rename(folder)
    shutil.rmtree(store)


def move_store_into_npy(store: Path, folder: Path) -> None:
    """Add every item of a finished store to a folder of `.npy`, and delete the store.

    Each file appears whole; a move that was cut short can be made again.

    Raises:
        StoreCorruptError: when there is no readable store.
        ValueError: when an id cannot be a file name.
        StorageError: when the disk refuses; the store stays.
    """
    added = open_embeddings(store)
    names = [file_name(item.id) for item in added.items]
    try:
        for index, name in enumerate(names):
            partial = folder / f".{name}.partial"
            with partial.open("wb") as file:
                _save(file, added, index)
            partial.replace(folder / name)
    except OSError as error:
        raise _refused(folder, error) from error
    shutil.rmtree(store)


def _save(file: BinaryIO, embeddings: Embeddings[Clip] | Embeddings[Text], index: int) -> None:
    rows = embeddings.rows(index)
    np.save(file, rows[0] if embeddings.is_pooled else rows, allow_pickle=False)


def _refused(folder: Path, error: OSError) -> StorageError:
    return StorageError(f"cannot write {display_path(folder)}: {error.strerror or error}")
