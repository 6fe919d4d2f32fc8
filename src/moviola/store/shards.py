"""Write blocks of rows as safetensors files, and map them into memory to read them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import save_file  # pyright: ignore[reportUnknownVariableType]

from moviola.core import StoreCorruptError, display_path
from moviola.core.json_text import decode_json

if TYPE_CHECKING:
    from moviola.core.embeddings import Rows

_TENSOR = "vectors"
_DTYPES = {"F16": np.dtype("<f2"), "F32": np.dtype("<f4")}
#: The header of our own files is about a hundred bytes; a claim beyond this is damage.
_HEADER_LIMIT = 1_000_000


def sync(path: Path) -> None:
    """Make sure that a file, or the names in a folder, survive a power cut."""
    if path.is_dir() and os.name == "nt":
        return  # Windows opens no folders, and its renames are journalled
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def publish(temporary: Path, final: Path) -> None:
    """Give a finished file its name: it appears whole or not at all."""
    sync(temporary)
    temporary.replace(final)
    sync(final.parent)


def write_rows(path: Path, rows: Rows) -> None:
    """Write `(m, D)` rows as the one tensor of a safetensors file, whole or not at all."""
    temporary = path.with_name(path.name + ".tmp")
    try:
        save_file({_TENSOR: np.ascontiguousarray(rows)}, temporary)
    except SafetensorError as error:  # how the library tells of a full disk
        raise OSError(str(error)) from error
    publish(temporary, path)


def map_rows(path: Path) -> Rows:
    """Map the `(m, D)` rows of a file that `write_rows` made, read only where they are touched.

    The safetensors library copies a tensor out of the file; its format (an 8-byte little-endian
    header length, a JSON header, then the bytes) lets NumPy map them in place instead.

    Raises:
        StoreCorruptError: when the file is missing, cut short, or something else.
    """
    try:
        dtype, offset, shape = _locate(path)
        if not shape[0]:
            return cast("Rows", np.empty(shape, dtype))
        mapped = np.memmap(path, dtype, "r", offset=offset, shape=shape)
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise StoreCorruptError(
            f"{display_path(path)} cannot be read ({error}); delete the store and encode again"
        ) from error
    return cast("Rows", mapped.view(np.ndarray))


def _locate(path: Path) -> tuple[np.dtype[Any], int, tuple[int, int]]:
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(_HEADER_LIMIT, size - 8):
            raise ValueError(f"a header of {length} bytes in a file of {size}")
        header = cast("dict[str, Any]", decode_json(file.read(length)))
    tensor = header[_TENSOR]
    dtype = _DTYPES[tensor["dtype"]]
    count, dimension = (int(side) for side in tensor["shape"])
    begin, end = (int(offset) for offset in tensor["data_offsets"])
    if end - begin != count * dimension * dtype.itemsize or 8 + length + end != size:
        raise ValueError(f"{count} x {dimension} rows do not fill {size} bytes")
    return dtype, 8 + length + begin, (count, dimension)
