"""Read the vectors that the rows of a table of `moviola table` name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from moviola.core import Clip, Embeddings, Span, Text, display_path
from moviola.core.embeddings import ItemT
from moviola.datasets.annotations.captions import caption_of, clip_name, is_gallery_row
from moviola.datasets.annotations.footage import WHOLE_VIDEO
from moviola.datasets.annotations.tables import Row, read_rows
from moviola.store.card import Kind
from moviola.store.npy import read_npy_files, space_beside

_COLUMNS = ("id", "video", "caption", "video_path", "video_embedding", "text_embedding")


def table_texts(table: Path) -> Embeddings[Text]:
    """Read the captions of a table, one a row, in the space of the sidecars beside its files.

    Raises:
        FileNotFoundError: when a file that it names is not there.
        ValueError: when it has no rows, or naming the `.npy` that cannot be used.
        DatasetError: when it is not as `moviola table` writes it.
        SpaceMismatchError: when its files lie in folders of several spaces or readouts.
    """
    rows = [row for row in _read(table) if not is_gallery_row(row)]
    if not rows:
        raise ValueError(f"{display_path(table)} holds no captions")
    texts = [Text(row.name("id"), row.text("caption"), caption_of(row).clip) for row in rows]
    return _of_files(texts, [table.parent / row.text("text_embedding") for row in rows], "texts")


def table_clips(table: Path) -> Embeddings[Clip]:
    """Read the clips of a table, those that no caption describes too, each once, as `table_texts`.

    Raises:
        FileNotFoundError: as `table_texts`.
        ValueError: as `table_texts`.
        DatasetError: as `table_texts`.
        SpaceMismatchError: as `table_texts`.
    """
    clips: dict[str, Clip] = {}
    paths: list[Path] = []
    for row in _read(table):
        name = clip_name(row.name("video"), row.span())
        if name not in clips:
            span: Span = row.span() or WHOLE_VIDEO
            path = row.values["video_path"]
            clips[name] = Clip(name, table.parent / str(path) if path else Path(), span)
            paths.append(table.parent / row.text("video_embedding"))
    return _of_files(list(clips.values()), paths, "clips")


def _read(table: Path) -> list[Row]:
    rows = read_rows(table, _COLUMNS)
    if not rows:
        raise ValueError(f"{display_path(table)} holds no rows")
    return rows


def _of_files(items: Sequence[ItemT], paths: Sequence[Path], kind: Kind) -> Embeddings[ItemT]:
    rows = read_npy_files(paths)
    folders = list(dict.fromkeys(path.parent for path in paths))
    space, readout = space_beside(folders[0], kind, rows)
    for folder in folders[1:]:
        other, way = space_beside(folder, kind, rows)
        space.require(other, what=display_path(folder))
        readout.require(way, what=display_path(folder))
    return Embeddings.from_rows(items, rows, space, readout)
