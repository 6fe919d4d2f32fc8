"""Read one `.npy` an item: `video7890.npy` for a clip, `video7890-1.npy` for a caption.

A file holds `(D,)` where every item of the folder has one row, and `(n, D)` otherwise. A sidecar
tells space and readout; paths and words are not kept, a store keeps them.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, unquote

import numpy as np

from moviola.core import (
    Clip,
    DatasetError,
    Embeddings,
    Readout,
    Space,
    Span,
    Text,
    display_path,
)
from moviola.store.card import Kind
from moviola.store.sidecar import Sidecar

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moviola.core.embeddings import Rows

#: The readout of vectors of which nothing is known.
UNKNOWN = Readout("unknown")
_MAGIC = b"\x93NUMPY"
#: The layout tells no times: a clip is as long as its video, which readers find out.
_WHOLE = Span(0.0, 1e6)
_LONGEST = 255
#: What Windows takes for a device, whatever follows the first dot.
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


def file_name(identity: str) -> str:
    """Name the file of an item: its id and `.npy`, what no file system takes written as `%2F`.

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
    """Read the id of the item off the name of its file."""
    return unquote(name.removesuffix(".npy"), errors="strict")


def item_id_of(path: Path) -> str:
    """Read the id of the item off the path of its file, as `item_id`.

    Raises:
        DatasetError: when the name, or what is escaped in it, is not valid Unicode.
    """
    try:
        return item_id(os.fsencode(path.name).decode())
    except UnicodeDecodeError:
        raise DatasetError(f"{display_path(path)}: the name is not valid Unicode") from None


def open_npy(path: Path) -> NDArray[Any]:
    """Map the array of one `.npy` file, any shape and numbers; pickles are never opened.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: naming the file, and why it is no array that can be read.
    """
    shown = display_path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {shown}")
    if not path.stat().st_size:
        raise ValueError(f"{shown} is empty")
    try:
        _check_header(path)
        array = cast("NDArray[Any]", np.load(path, mmap_mode="r", allow_pickle=False))
    except (OSError, ValueError, EOFError, OverflowError, MemoryError, RecursionError) as error:
        raise ValueError(f"{shown} cannot be read as .npy: {error}") from error
    return array.view(np.ndarray)


def npy_files(folder: Path) -> list[Path]:
    """List the `.npy` files of a folder, in no order; hidden ones are passed over."""
    return [path for path in folder.glob("*.npy") if not path.name.startswith(".")]


def list_npy(folder: Path) -> dict[str, Path]:
    """List the `.npy` files of a folder by the ids of their items, in natural order of the names.

    Hidden files are passed over: encoders that were stopped, and people, leave them behind.

    Raises:
        DatasetError: when a name is not valid Unicode.
        ValueError: when there are no such files, or two of them are one item.
    """
    paths = npy_files(folder)
    if not paths:
        raise ValueError(f"{display_path(folder)} holds no .npy files, and is no store")
    files: dict[str, Path] = {}
    for path in sorted(paths, key=lambda path: natural_key(path.name)):
        twin = files.setdefault(item_id_of(path), path)
        if twin != path:
            raise ValueError(
                f"{display_path(twin)} and {display_path(path)} are one item; keep one of them"
            )
    return files


def read_npy_rows(path: Path) -> Rows:
    """Read the `(n, D)` rows of one item, finite and n at least 1; float64 becomes float32.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: naming the file, and what is wrong with it.
    """
    array, shown = open_npy(path), display_path(path)
    if array.dtype.kind != "f":
        raise ValueError(f"{shown} holds {array.dtype}; it must be float16, float32 or float64")
    if array.ndim not in (1, 2) or 0 in array.shape:
        raise ValueError(
            f"{shown} has shape {array.shape}; one item is (D,) or (n, D), none of them 0"
        )
    # Copied: thousands of mapped files would use up the files that a process may hold open.
    rows = np.array(np.atleast_2d(narrowed(array, shown)))
    if not np.isfinite(rows).all():
        raise ValueError(f"{shown} holds NaN or infinity; encode it again")
    return rows


def read_npy_files(paths: Sequence[Path]) -> list[Rows]:
    """Read one item a file, `(n_i, D)` each, all of one length D.

    Raises:
        FileNotFoundError: when a file is not there.
        ValueError: naming the file, and what is wrong with it.
    """
    blocks: list[Rows] = []
    for path in paths:
        block = read_npy_rows(path)
        if blocks and block.shape[1] != blocks[0].shape[1]:
            raise ValueError(
                f"{display_path(path)} has {block.shape[1]} numbers a row, "
                f"{display_path(paths[0])} has {blocks[0].shape[1]}"
            )
        blocks.append(block)
    return blocks


def read_npy_clips(folder: Path) -> Embeddings[Clip]:
    """Read the clips of a folder of `.npy`, in natural order, in the space of its sidecar.

    They have ids but no files: the layout does not tell which file each came from. Without a
    sidecar the space is anonymous.

    Raises:
        DatasetError: when a file's name is no id.
        ValueError: naming the file that is not as it should be, or when they are texts.
        StoreCorruptError: when the sidecar cannot be read.
    """
    files = list_npy(folder)
    rows = read_npy_files(list(files.values()))
    items = [Clip(identity, Path(), _WHOLE) for identity in files]
    return Embeddings[Clip].from_rows(items, rows, *space_beside(folder, "clips", rows))


def read_npy_texts(folder: Path) -> Embeddings[Text]:
    """Read the texts of a folder of `.npy`, in natural order, in the space of its sidecar.

    They have ids but no words: the layout does not tell them. Without a sidecar the space is
    anonymous.

    Raises:
        DatasetError: when a file's name is no id.
        ValueError: naming the file that is not as it should be, or when they are clips.
        StoreCorruptError: when the sidecar cannot be read.
    """
    files = list_npy(folder)
    rows = read_npy_files(list(files.values()))
    items = [Text(identity, "") for identity in files]
    return Embeddings[Text].from_rows(items, rows, *space_beside(folder, "texts", rows))


def space_beside(folder: Path, kind: Kind, rows: Sequence[Rows]) -> tuple[Space, Readout]:
    """Read what vectors of a folder are in: as its sidecar says, or the anonymous space.

    Args:
        folder: of `.npy`.
        kind: that the vectors must be of.
        rows: one `(n, D)` an item, at least one.

    Raises:
        ValueError: when the sidecar tells another kind, or another length of vectors.
        StoreCorruptError: when it cannot be read.
    """
    dimension = rows[0].shape[1]
    sidecar = Sidecar.read(folder)
    if sidecar is None:
        return Space.anonymous(dimension), UNKNOWN
    if sidecar.kind != kind:
        raise ValueError(f"{display_path(folder)} holds {sidecar.kind}, not {kind}")
    if sidecar.space.dimension != dimension:
        raise ValueError(
            f"{display_path(folder)} holds vectors of {dimension} numbers, and its sidecar speaks "
            f"of {sidecar.space.dimension}; encode again"
        )
    return sidecar.space, sidecar.readout


def narrowed(array: NDArray[np.floating], shown: str) -> Rows:
    """Round an array to a type that `Embeddings` hold: float16 and float32 stay as they are.

    Raises:
        ValueError: naming the place, when a number is beyond what float32 can hold.
    """
    if array.dtype.name in ("float16", "float32") and array.dtype.isnative:
        return cast("Rows", np.ascontiguousarray(array))
    with np.errstate(over="ignore"):
        narrow = np.ascontiguousarray(array, np.float32)
    lost = np.isfinite(array) & ~np.isfinite(narrow)
    if lost.any():
        place = ", ".join(map(str, np.argwhere(lost)[0].tolist()))
        raise ValueError(f"{shown}[{place}] is beyond what float32 can hold; scale the vectors")
    return narrow


def natural_key(name: str) -> list[tuple[int, str]]:
    """Make a key that sorts `video2` before `video10`."""
    parts = re.split(r"([0-9]+)", name)
    return [(int(part), "") if i % 2 else (-1, part) for i, part in enumerate(parts)]


def _is_safe(character: str) -> bool:
    if character.isascii():
        return character.isalnum() or character in "-_.@+,=() "
    return character.isprintable()


def _check_header(path: Path) -> None:
    """Refuse a file whose header promises what NumPy would fail on, or fill the memory for."""
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise ValueError("it is no array that numpy.save wrote")
        file.seek(0)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }.get(np.lib.format.read_magic(file))
        if read is None:
            return  # later versions differ in names of fields, which no array of numbers has
        shape, _, dtype = read(file)
        promised = math.prod(shape) * dtype.itemsize
        held = path.stat().st_size - file.tell()
    if dtype.hasobject:
        raise ValueError("it holds pickled Python objects, which are never opened; save numbers")
    if promised > held:
        raise ValueError(f"it promises {shape} {dtype}, {promised:,} bytes, and holds {held:,}")
