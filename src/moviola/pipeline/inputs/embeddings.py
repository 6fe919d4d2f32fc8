"""What `--texts` and `--videos` may be, as `Embeddings`.

A `.npy` file, a tensor of a safetensors file (`FILE:TENSOR`), a store, a folder of `.npy` files
named after their items, or a table that `moviola table` wrote. Rows of bare arrays are called by
their number from 0; they, folders and tables live in the anonymous space.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from moviola.core import Clip, Embeddings, Readout, Space, Span, Text, display_path
from moviola.core.embeddings import ItemT
from moviola.core.pooling import POOLINGS, pool
from moviola.datasets.annotations.tables import Row, read_rows
from moviola.pipeline.inputs.arrays import is_array_file, read_floats
from moviola.store import is_store, open_clips, open_texts
from moviola.store.npy import item_id_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moviola.core.embeddings import Rows

#: How bare arrays were read is not known.
_UNKNOWN = "unknown"
#: The clip of a video of which only an id is known.
_WHOLE = Span(0.0, 1e6)


def read_texts(spec: str, *, pooling: str | None = None) -> Embeddings[Text]:
    """The texts behind `spec`; those of arrays and folders have ids but no words.

    Args:
        spec: a `.npy` file, `FILE.safetensors:TENSOR`, a store, a folder of `.npy` files, or a
            table of `moviola table`.
        pooling: how several rows an item become one; `"none"` keeps them. None where every item
            has one row.

    Raises:
        FileNotFoundError: when there is nothing of that name.
        ValueError: naming the file and the item that cannot be used, and why.
        DatasetError: when a table is not as it should be, or a file's name is no id.
        StoreCorruptError: when a store is damaged.
    """
    path = Path(spec)
    if not is_array_file(spec) and is_store(path):
        return _finished(open_texts(path), pooling, spec)
    if is_table(spec):
        rows = _rows(path)
        files = [_beside(path, row, "text_embedding") for row in rows]
        bare = _of_files([row.text("id") for row in rows], files)
        texts = [Text(row.text("id"), row.text("caption")) for row in rows]
        return _finished(_anonymous(texts, bare), pooling, spec)
    bare = _read(spec)
    texts = [Text(name, "") for name in bare.ids]
    return _finished(_anonymous(texts, bare), pooling, spec)


def read_clips(spec: str, *, pooling: str | None = None) -> Embeddings[Clip]:
    """The videos behind `spec`; those of arrays and folders have ids but no files.

    Args:
        spec: as `read_texts`.
        pooling: as `read_texts`.

    Raises:
        FileNotFoundError: as `read_texts`.
        ValueError: as `read_texts`.
        DatasetError: as `read_texts`.
        StoreCorruptError: as `read_texts`.
    """
    path = Path(spec)
    if not is_array_file(spec) and is_store(path):
        return _finished(open_clips(path), pooling, spec)
    if is_table(spec):
        clips, bare = _clips_of_table(path)
        return _finished(_anonymous(clips, bare), pooling, spec)
    bare = _read(spec)
    clips = [Clip(name, Path(), _WHOLE) for name in bare.ids]
    return _finished(_anonymous(clips, bare), pooling, spec)


def is_table(spec: str) -> bool:
    """Whether `spec` is spelled like a table: `.csv` or `.parquet`."""
    return Path(spec).suffix.lower() in (".csv", ".parquet")


def is_named(spec: str) -> bool:
    """Whether `spec` is a folder or a table, whose ids say what belongs to what."""
    return not is_array_file(spec) and not is_store(Path(spec))


@dataclass(frozen=True, slots=True)
class _Bare:
    """Ids of N items, how many rows each has `(N,)`, and all rows `(M, D)`."""

    ids: list[str]
    counts: list[int]
    rows: Rows


def _anonymous(items: Sequence[ItemT], bare: _Bare) -> Embeddings[ItemT]:
    offsets = np.concatenate([[0], np.cumsum(bare.counts)]).astype(np.int64)
    space = Space.anonymous(bare.rows.shape[1])
    return Embeddings(items, offsets, [bare.rows], space, Readout(_UNKNOWN))


def _read(spec: str) -> _Bare:
    path = Path(spec)
    if is_array_file(spec):
        return _of_array(spec)
    if path.is_dir():
        return _of_folder(path)
    if path.exists():
        raise ValueError(
            f"{display_path(path)} is not a .npy file, FILE.safetensors:TENSOR, a store, a "
            f"folder of .npy files or a table of moviola table"
        )
    raise FileNotFoundError(f"there is no {display_path(path)}")


def _of_array(spec: str) -> _Bare:
    array = read_floats(spec)
    if array.ndim not in (2, 3) or 0 in array.shape:
        raise ValueError(
            f"{display_path(spec)} has shape {array.shape}; it must be (items, numbers) or "
            f"(items, rows, numbers), none of them 0"
        )
    count = len(array)
    rows = _narrowed(array, display_path(spec)).reshape(-1, array.shape[-1])
    return _Bare([str(number) for number in range(count)], [len(rows) // count] * count, rows)


def _of_folder(folder: Path) -> _Bare:
    # Encoders that were stopped, and people, leave hidden files behind.
    paths = sorted(path for path in folder.glob("*.npy") if not path.name.startswith("."))
    if not paths:
        raise ValueError(
            f"{display_path(folder)} is neither a store (it has no card.json) nor a folder of "
            f".npy files"
        )
    files: dict[str, Path] = {}
    for path in paths:
        twin = files.setdefault(item_id_of(path), path)
        if twin != path:
            raise ValueError(
                f"{display_path(twin)} and {display_path(path)} are one item; keep one of them"
            )
    return _of_files(list(files), paths)


def _of_files(ids: list[str], paths: Sequence[Path]) -> _Bare:
    """One item a file, all of one dimension."""
    blocks: list[Rows] = []
    for path in paths:
        array = read_floats(str(path))
        if array.ndim not in (1, 2) or 0 in array.shape:
            raise ValueError(
                f"{display_path(path)} has shape {array.shape}; one item is (numbers,) or "
                f"(rows, numbers)"
            )
        block = np.atleast_2d(_narrowed(array, display_path(path)))
        if blocks and block.shape[1] != blocks[0].shape[1]:
            raise ValueError(
                f"{display_path(path)} has {block.shape[1]} numbers a row, "
                f"{display_path(paths[0])} has {blocks[0].shape[1]}"
            )
        # Copied: thousands of mapped files would use up the files a process may hold open.
        blocks.append(np.array(block, np.float32))
    return _Bare(ids, [len(block) for block in blocks], np.concatenate(blocks))


def _clips_of_table(path: Path) -> tuple[list[Clip], _Bare]:
    """The clips that the captions of a table describe, each once, and their rows."""
    clips: dict[str, Clip] = {}
    files: dict[str, Path] = {}
    for row in _rows(path):
        # Captions are called CLIP-1, CLIP-2, …; see `caption_ids`.
        name = row.text("id").rpartition("-")[0]
        if name not in clips:
            start, end = row.seconds("start"), row.seconds("end")
            span = _WHOLE if start is None or end is None else Span(start, end)
            clips[name] = Clip(name, _beside(path, row, "video_path"), span)
            files[name] = _beside(path, row, "video_embedding")
    return list(clips.values()), _of_files(list(files), list(files.values()))


def _rows(table: Path) -> list[Row]:
    if not table.is_file():
        raise FileNotFoundError(f"there is no file {display_path(table)}")
    rows = read_rows(table, ["id", "caption", "video_path", "video_embedding", "text_embedding"])
    if not rows:
        raise ValueError(f"{display_path(table)} holds no captions")
    return rows


def _beside(table: Path, row: Row, column: str) -> Path:
    """The file that a row names; paths are relative to the folder of the table."""
    return table.parent / row.text(column)


def _narrowed(array: NDArray[np.floating], shown: str) -> Rows:
    """The array as what `Embeddings` hold; float64 is rounded to float32."""
    if array.dtype.name in ("float16", "float32") and array.dtype.isnative:
        return cast("Rows", np.ascontiguousarray(array))
    with np.errstate(over="ignore"):
        narrow = np.ascontiguousarray(array, np.float32)
    lost = np.isfinite(array) & ~np.isfinite(narrow)
    if lost.any():
        place = ", ".join(map(str, np.argwhere(lost)[0].tolist()))
        raise ValueError(f"{shown}[{place}] is beyond what float32 can hold; scale the vectors")
    return narrow


def _finished(embeddings: Embeddings[ItemT], pooling: str | None, spec: str) -> Embeddings[ItemT]:
    """Pooled where that was asked for, and refused where a vector has no direction."""
    shown = display_path(spec)
    if not len(embeddings):
        raise ValueError(f"{shown} holds no items")
    if not embeddings.is_pooled and pooling is None:
        rows = int(embeddings.offsets[-1])
        raise ValueError(
            f"{shown} holds {rows} rows for {len(embeddings)} items; say with --pool how the rows "
            f"of one become one vector: {', '.join(POOLINGS)}, or none to score by MaxSim"
        )
    _refuse_rows(embeddings, shown, zeros=pooling in (None, "none"))
    # One row is its own pooling: an array beside a ragged one need not be told apart.
    if pooling in (None, "none") or (
        embeddings.is_pooled and embeddings.readout.pooling not in ("none", pooling)
    ):
        return embeddings
    pooled = pool(embeddings, cast("str", pooling))
    _refuse_rows(pooled, f"{shown}, pooled by {pooling}", zeros=True)
    return pooled


def _refuse_rows(embeddings: Embeddings[ItemT], shown: str, *, zeros: bool) -> None:
    for where, block in embeddings.blocks():
        finite = np.isfinite(block).all(axis=1)
        usable = finite & block.any(axis=1) if zeros else finite
        if usable.all():
            continue
        row = int(np.flatnonzero(~usable)[0])
        item = int(np.searchsorted(embeddings.offsets, where.start + row, side="right")) - 1
        what = "is all zeros" if not block[row].any() else "holds NaN or infinity"
        inside = "" if embeddings.is_pooled else f", row {where.start + row} of all"
        raise ValueError(
            f"{shown}: the vector of {embeddings.items[item].id!r} (item {item}{inside}) {what} "
            f"and has no direction; encode it again or leave it out"
        )
