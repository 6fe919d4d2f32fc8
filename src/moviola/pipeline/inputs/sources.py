"""Parse an input specification once, and read what it names as vectors or numbers."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

import numpy as np

from moviola.core import Clip, Embeddings, Space, Span, Text, display_path
from moviola.core.embeddings import ItemT
from moviola.core.pooling import POOLINGS, pool
from moviola.datasets.annotations.tables import TABLE_SUFFIXES
from moviola.pipeline.inputs.arrays import read_array, to_floats, to_integers, to_scores
from moviola.pipeline.inputs.table_reading import table_clips, table_texts
from moviola.store import open_clips, open_texts, read_npy_clips, read_npy_texts
from moviola.store.card import CARD, is_store
from moviola.store.npy import UNKNOWN, narrowed

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from moviola.core.embeddings import Rows

Kind: TypeAlias = Literal["array", "store", "folder", "table", "lines"]

_TENSORS = ".safetensors"
#: The clip of a row of an array: nothing is known of it but its number.
_WHOLE = Span(0.0, 1e6)


@dataclass(frozen=True, slots=True)
class Source:
    """One input of a job, told apart once by `parse_source`.

    Attributes:
        spec: as it was given.
        path: the file or folder.
        kind: `"array"` for a `.npy` file or a tensor of a safetensors file, `"store"`,
            `"folder"` of one `.npy` an item, `"table"` (`.csv`, `.jsonl`, `.parquet`), or
            `"lines"` for any other file, such as TREC qrels.
        tensor: name of the tensor, where one was named.
    """

    spec: str
    path: Path
    kind: Kind
    tensor: str | None = None

    @property
    def has_ids(self) -> bool:
        """Tell whether its items have ids; rows of bare arrays have numbers only."""
        return self.kind != "array"

    def sha256(self) -> str:
        """Compute the SHA-256 that identifies the source, in hexadecimal.

        That of the file; of a store, that of its card, which seals the rest. Of a folder, that of
        a line `SHA-256  NAME` for each of its files, in order of their names (what `sha256sum *`
        writes), hidden files left out.

        Raises:
            OSError: when a file cannot be read.
        """
        if self.kind != "folder":
            return _sha256(self.path / CARD if self.kind == "store" else self.path)
        digest = hashlib.sha256()
        for path in sorted(self.path.iterdir(), key=lambda path: os.fsencode(path.name)):
            if path.is_file() and not path.name.startswith("."):
                digest.update(f"{_sha256(path)}  ".encode() + os.fsencode(path.name) + b"\n")
        return digest.hexdigest()

    def texts(self, pooling: str | None = None) -> Embeddings[Text]:
        """Read the texts; those of arrays and folders have ids but no words.

        Args:
            pooling: how several rows an item become one; `"none"` keeps them. None where every
                item has one row.

        Raises:
            FileNotFoundError: when a file is not there.
            ValueError: naming the file and the item that cannot be used, and why.
            DatasetError: when a table is not as it should be, or a file's name is no id.
            StoreCorruptError: when a store is damaged.
        """
        return _finished(self._texts(), pooling, self.spec)

    def clips(self, pooling: str | None = None) -> Embeddings[Clip]:
        """Read the clips; those of arrays and folders have ids but no files.

        Args:
            pooling: as `texts`.

        Raises:
            FileNotFoundError: as `texts`.
            ValueError: as `texts`.
            DatasetError: as `texts`.
            StoreCorruptError: as `texts`.
        """
        return _finished(self._clips(), pooling, self.spec)

    def integers(self) -> NDArray[np.int64]:
        """Read the whole numbers of an array, of any shape.

        Raises:
            ValueError: when the source is no array, cannot be read, or holds other numbers.
        """
        return to_integers(self._array(), display_path(self.spec))

    def scores(self) -> NDArray[np.float32 | np.float64]:
        """Read a matrix of scores, `(texts, videos)`; half precision becomes float32.

        Raises:
            ValueError: when the source is no array, cannot be read, or is no such matrix.
        """
        return to_scores(self._array(), display_path(self.spec))

    def _array(self) -> NDArray[Any]:
        if self.kind != "array":
            raise ValueError(
                f"{display_path(self.spec)} is no array; give FILE.npy or FILE.safetensors:TENSOR"
            )
        return read_array(self.path, self.tensor)

    def _texts(self) -> Embeddings[Text]:
        if self.kind == "store":
            return open_texts(self.path)
        if self.kind == "folder":
            return read_npy_texts(self.path)
        if self.kind == "table":
            return table_texts(self.path)
        ids, counts, rows = self._rows()
        return _anonymous([Text(name, "") for name in ids], counts, rows)

    def _clips(self) -> Embeddings[Clip]:
        if self.kind == "store":
            return open_clips(self.path)
        if self.kind == "folder":
            return read_npy_clips(self.path)
        if self.kind == "table":
            return table_clips(self.path)
        ids, counts, rows = self._rows()
        return _anonymous([Clip(name, Path(), _WHOLE) for name in ids], counts, rows)

    def _rows(self) -> tuple[list[str], list[int], Rows]:
        """Read an array as numbers of its items, rows of each `(N,)`, and all rows `(M, D)`."""
        shown = display_path(self.spec)
        if self.kind == "lines":
            raise ValueError(
                f"{shown} is not a .npy file, FILE.safetensors:TENSOR, a store, a folder of .npy "
                f"files or a table of moviola table"
            )
        array = to_floats(self._array(), shown)
        if array.ndim not in (2, 3) or 0 in array.shape:
            raise ValueError(
                f"{shown} has shape {array.shape}; it must be (items, numbers) or "
                f"(items, rows, numbers), none of them 0"
            )
        count = len(array)
        rows = narrowed(array, shown).reshape(-1, array.shape[-1])
        return [str(number) for number in range(count)], [len(rows) // count] * count, rows


def parse_source(spec: str | Path) -> Source:
    """Tell apart what an option such as `--texts`, `--videos` or `--relevance` names.

    Args:
        spec: a `.npy` file, `FILE.safetensors:TENSOR` (the tensor may be left out where there is
            one), a store, a folder of one `.npy` an item, a table, or a file of lines.

    Raises:
        FileNotFoundError: when there is nothing of that name.
    """
    given = str(spec)
    file, named, tensor = given.partition(_TENSORS + ":")
    path = Path(file + _TENSORS) if named else Path(given)
    suffix = path.suffix.lower()
    if path.is_dir():
        return Source(given, path, "store" if is_store(path) else "folder")
    if not path.exists():
        what = "file " if suffix in (".npy", _TENSORS, *TABLE_SUFFIXES) else ""
        raise FileNotFoundError(f"there is no {what}{display_path(path)}")
    if suffix in (".npy", _TENSORS):
        return Source(given, path, "array", tensor or None)
    return Source(given, path, "table" if suffix in TABLE_SUFFIXES else "lines")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _anonymous(items: Sequence[ItemT], counts: Sequence[int], rows: Rows) -> Embeddings[ItemT]:
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Embeddings(items, offsets, [rows], Space.anonymous(rows.shape[1]), UNKNOWN)


def _finished(embeddings: Embeddings[ItemT], pooling: str | None, spec: str) -> Embeddings[ItemT]:
    """Pool where that was asked for, and refuse vectors that have no direction."""
    shown = display_path(spec)
    if not len(embeddings):
        raise ValueError(f"{shown} holds no items")
    if not embeddings.is_pooled and pooling is None:
        rows = int(embeddings.offsets[-1])
        raise ValueError(
            f"{shown} holds {rows} rows for {len(embeddings)} items; say with --pool how the rows "
            f"of one become one vector: {', '.join(POOLINGS)}; or none to score all of them by "
            f"MaxSim, hierarchical-N to score N of each"
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
