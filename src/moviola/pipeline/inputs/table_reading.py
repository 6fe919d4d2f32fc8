"""Read the vectors that the rows of a table of `moviola table` name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from moviola.core import Clip, Embeddings, Space, Span, Text, display_path
from moviola.core.embeddings import ItemT
from moviola.datasets.annotations.captions import caption_of
from moviola.datasets.annotations.footage import WHOLE_VIDEO
from moviola.datasets.annotations.tables import Row, read_rows
from moviola.store.npy import UNKNOWN, read_npy_files

_COLUMNS = ("id", "video", "caption", "video_path", "video_embedding", "text_embedding")


def table_texts(table: Path) -> Embeddings[Text]:
    """Read the captions of a table, one a row, in the anonymous space.

    Raises:
        FileNotFoundError: when a file that it names is not there.
        ValueError: when it has no rows, or naming the `.npy` that cannot be used.
        DatasetError: when it is not as `moviola table` writes it.
    """
    rows = _read(table)
    texts = [Text(row.name("id"), row.text("caption"), caption_of(row).clip) for row in rows]
    return _of_files(texts, [table.parent / row.text("text_embedding") for row in rows])


def table_clips(table: Path) -> Embeddings[Clip]:
    """Read the clips that the captions of a table describe, each once, in the anonymous space.

    Raises:
        FileNotFoundError: as `table_texts`.
        ValueError: as `table_texts`.
        DatasetError: as `table_texts`.
    """
    clips: dict[str, Clip] = {}
    paths: list[Path] = []
    for row in _read(table):
        name = str(caption_of(row).clip)
        if name not in clips:
            span: Span = row.span() or WHOLE_VIDEO
            clips[name] = Clip(name, table.parent / row.text("video_path"), span)
            paths.append(table.parent / row.text("video_embedding"))
    return _of_files(list(clips.values()), paths)


def _read(table: Path) -> list[Row]:
    rows = read_rows(table, _COLUMNS)
    if not rows:
        raise ValueError(f"{display_path(table)} holds no captions")
    return rows


def _of_files(items: Sequence[ItemT], paths: Sequence[Path]) -> Embeddings[ItemT]:
    rows = read_npy_files(paths)
    return Embeddings.from_rows(items, rows, Space.anonymous(rows[0].shape[1]), UNKNOWN)
