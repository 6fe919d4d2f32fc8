"""One `.npy` an item: `video7890.npy` for a clip, `video7890-1.npy` for a caption of it.

A file holds `(D,)` where every item of the folder has one row, and `(n, D)` otherwise. The
layout knows neither space nor readout, paths nor words; a store does.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import quote, unquote

import numpy as np

from moviola.core import (
    Clip,
    DatasetError,
    Embeddings,
    Readout,
    Space,
    Span,
    StorageError,
    Text,
    display_path,
)
from moviola.store.reading import open_embeddings

if TYPE_CHECKING:
    from moviola.core.embeddings import Rows

#: How the vectors were read is not known.
_UNKNOWN = Readout(preprocessing="unknown", layer="unknown", tokens="unknown", pooling="none")
#: The layout tells no times: a clip is as long as its video, which readers find out.
_WHOLE = Span(0.0, 1e6)
_LONGEST = 255
#: What Windows takes for a device, whatever follows the first dot.
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


def file_name(identity: str) -> str:
    """The file of an item: its id and `.npy`, what no file system takes written as `%2F`.

    `item_id` is the inverse. Letters of all scripts, digits, spaces inside, and `-_.@+,=()` stay.

    Raises:
        ValueError: when the id is empty, not valid Unicode, or too long for a file name.
    """
    if not identity:
        raise ValueError("an item without an id has no file name")
    try:
        identity.encode()
    except UnicodeEncodeError:
        raise ValueError(f"the id {display_path(identity)!r} is not valid Unicode") from None
    name = "".join(
        character if _is_safe(character) else quote(character, safe="") for character in identity
    )
    if name[0] in ". " or _DEVICES.fullmatch(name):
        name = f"%{ord(name[0]):02X}{name[1:]}"
    if name[-1] in ". ":
        name = f"{name[:-1]}%{ord(name[-1]):02X}"
    if len(name.encode()) + len(".npy") > _LONGEST:
        raise ValueError(f"the id {identity[:40]!r}… is too long for a file name")
    return name + ".npy"


def item_id(name: str) -> str:
    """The id of the item in file `name`."""
    return unquote(name.removesuffix(".npy"), errors="strict")


def item_id_of(path: Path) -> str:
    """The id of the item in the file at `path`, as `item_id`.

    Raises:
        DatasetError: when the name, or what is escaped in it, is not valid Unicode.
    """
    try:
        return item_id(os.fsencode(path.name).decode())
    except UnicodeDecodeError:
        raise DatasetError(f"{display_path(path)}: the name is not valid Unicode") from None


def write_npy(embeddings: Embeddings[Clip] | Embeddings[Text], folder: Path) -> None:
    """Writes one file an item into a new folder, which is there as a whole or not at all.

    Raises:
        FileExistsError: when the folder exists, or two ids want one file (on file systems that
            take capitals for small letters).
        ValueError: when an id cannot be a file name.
        StorageError: when the disk refuses.
    """
    if folder.exists():
        raise FileExistsError(f"{display_path(folder)} exists already")
    names = [file_name(item.id) for item in embeddings.items]
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        for index, name in enumerate(names):
            rows = embeddings.rows(index)
            with (partial / name).open("xb") as file:
                np.save(file, rows[0] if embeddings.is_pooled else rows, allow_pickle=False)
        partial.rename(folder)
    except FileExistsError:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise StorageError(
            f"cannot write {display_path(folder)}: {error.strerror or error}"
        ) from error


def replace_store_by_npy(folder: Path) -> None:
    """Turns a finished store into one `.npy` an item, under the same name.

    Raises:
        StoreCorruptError: when there is no readable store.
        ValueError, FileExistsError, StorageError: as `write_npy`; the store stays.
    """
    made = folder.with_name(folder.name + ".npy")
    store = folder.with_name(folder.name + ".store")
    write_npy(open_embeddings(folder), made)
    folder.rename(store)
    made.rename(folder)
    shutil.rmtree(store)


def read_npy_clips(folder: Path) -> Embeddings[Clip]:
    """Clips of a folder of `.npy`, in the natural order of their names, in the anonymous space.

    Their paths are their ids: the layout does not tell which file each came from.

    Raises:
        DatasetError: naming the file that is not as it should be.
    """
    ids, rows = _read(folder)
    items = [Clip(identity, Path(identity), _WHOLE) for identity in ids]
    return Embeddings[Clip].from_rows(items, rows, _space(rows), _UNKNOWN)


def read_npy_texts(folder: Path) -> Embeddings[Text]:
    """Texts of a folder of `.npy`, in the natural order of their names, in the anonymous space.

    Their words are empty: the layout does not tell them.

    Raises:
        DatasetError: naming the file that is not as it should be.
    """
    ids, rows = _read(folder)
    items = [Text(identity, "") for identity in ids]
    return Embeddings[Text].from_rows(items, rows, _space(rows), _UNKNOWN)


def natural_key(name: str) -> list[tuple[int, str]]:
    """What sorts `video2` before `video10`."""
    parts = re.split(r"([0-9]+)", name)
    return [(int(part), "") if i % 2 else (-1, part) for i, part in enumerate(parts)]


def _is_safe(character: str) -> bool:
    if character.isascii():
        return character.isalnum() or character in "-_.@+,=() "
    return character.isprintable()


def _space(rows: list[Rows]) -> Space:
    return Space.anonymous(rows[0].shape[1])


def _read(folder: Path) -> tuple[list[str], list[Rows]]:
    paths = sorted(folder.glob("*.npy"), key=lambda path: natural_key(path.name))
    if not paths:
        raise DatasetError(f"{display_path(folder)} holds no .npy files")
    rows = [_load(path) for path in paths]
    dimension = rows[0].shape[1]
    for path, block in zip(paths, rows, strict=True):
        if block.shape[1] != dimension:
            raise DatasetError(
                f"{display_path(path)} has vectors of {block.shape[1]} numbers, "
                f"{paths[0].name} of {dimension}"
            )
    return [item_id_of(path) for path in paths], rows


def _load(path: Path) -> Rows:
    """The rows `(n, D)` of one file, n at least 1, finite, float16 or float32."""
    shown = display_path(path)
    try:
        loaded = cast("Rows", np.load(path, allow_pickle=False))
    except (OSError, ValueError, EOFError) as error:
        raise DatasetError(f"{shown} cannot be read as .npy: {error}") from error
    if getattr(loaded, "dtype", np.dtype(object)).kind != "f":  # an .npz is no array at all
        raise DatasetError(f"{shown} holds no floating-point numbers")
    rows = np.atleast_2d(loaded)
    if loaded.ndim not in (1, 2) or not rows.size:
        raise DatasetError(f"{shown} must be (D,) or (n, D), got {loaded.shape}")
    if rows.dtype.name not in ("float16", "float32"):
        rows = rows.astype(np.float32)
    if not np.isfinite(rows).all():
        raise DatasetError(f"{shown} holds NaN or infinity")
    return rows
