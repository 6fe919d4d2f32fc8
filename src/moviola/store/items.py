"""Read and write items and their row counts as Arrow files."""

# pyarrow ships no types, so every name that comes out of it is unknown to the checker.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from moviola.core import Clip, Span, StoreCorruptError, Text, display_path
from moviola.store.card import Kind
from moviola.store.shards import publish

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: What pyarrow and Python raise over a damaged file; a flipped size wants all the memory.
_DAMAGE = (
    *(OSError, ValueError, KeyError, TypeError, IndexError, OverflowError, MemoryError),
    pa.ArrowException,
)
# A path is bytes: file systems hold names that are no text.
_SCHEMAS = {
    "clips": pa.schema(
        [
            ("id", pa.string()),
            ("rows", pa.int64()),
            ("path", pa.binary()),
            ("start", pa.float64()),
            ("end", pa.float64()),
        ]
    ),
    "texts": pa.schema(
        [
            ("id", pa.string()),
            ("rows", pa.int64()),
            ("text", pa.string()),
            ("clip", pa.string()),
        ]
    ),
}


def kind_of(item: Clip | Text) -> Kind:
    """Name the kind of store that holds such items."""
    return "clips" if isinstance(item, Clip) else "texts"


def write_items(
    path: Path, kind: Kind, items: Sequence[Clip | Text], counts: Sequence[int]
) -> None:
    """Write items with their row counts, whole or not at all."""
    columns: dict[str, list[object]] = {"id": [item.id for item in items], "rows": list(counts)}
    if kind == "clips":
        clips = [item for item in items if isinstance(item, Clip)]
        columns["path"] = [os.fsencode(clip.path) for clip in clips]
        columns["start"] = [clip.span.start for clip in clips]
        columns["end"] = [clip.span.end for clip in clips]
    else:
        texts = [item for item in items if isinstance(item, Text)]
        columns["text"] = [text.text for text in texts]
        columns["clip"] = [text.clip for text in texts]
    schema = _SCHEMAS[kind]
    temporary = path.with_name(path.name + ".tmp")
    with pa.OSFile(str(temporary), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        writer.write_table(pa.table(columns, schema=schema))
    publish(temporary, path)


def read_items(path: Path, kind: Kind) -> tuple[list[Clip] | list[Text], NDArray[np.int64]]:
    """Read items, and how many rows each has `(N,)`.

    Raises:
        StoreCorruptError: when the file is missing or does not hold such items.
    """
    try:
        with pa.memory_map(str(path)) as source:
            table = pa.ipc.open_file(source).read_all()
            # Texts that were stored before this column was: their clips are not known.
            missing = {"clip"} - set(table.column_names)
            counts = table.column("rows").to_numpy().astype(np.int64)
            columns = {
                name: [None] * len(table) if name in missing else table.column(name).to_pylist()
                for name in _SCHEMAS[kind].names
            }
        items = _items(kind, columns)
    except _DAMAGE as error:
        raise StoreCorruptError(
            f"{display_path(path)} cannot be read ({error}); delete the store and encode again"
        ) from error
    return items, counts


def _items(kind: Kind, columns: dict[str, list[Any]]) -> list[Clip] | list[Text]:
    if kind == "texts":
        kept = zip(columns["id"], columns["text"], columns["clip"], strict=True)
        return [Text(*parts) for parts in kept]
    names = ("id", "path", "start", "end")
    return [
        Clip(identity, Path(os.fsdecode(raw)), Span(start, end))
        for identity, raw, start, end in zip(*(columns[name] for name in names), strict=True)
    ]
