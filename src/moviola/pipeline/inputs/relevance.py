"""Read the explicit table that says which texts belong to which videos, in any of its forms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import DatasetError, Qrels, display_path
from moviola.datasets.annotations.captions import caption_ids, caption_of, is_gallery_row
from moviola.datasets.annotations.names import NameIndex
from moviola.datasets.annotations.tables import Row, read_rows
from moviola.evaluate.trec import read_qrels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moviola.pipeline.inputs.sources import Source

#: Columns in which a table may have the id of a text, and that of its video, best first.
_TEXT_COLUMNS, _VIDEO_COLUMNS = ("text_id", "text", "id"), ("video_id", "video")


def read_relevance(
    table: Source,
    texts: Sequence[str],
    clips: Sequence[str],
    find_clip: Callable[[str], str | None] | None = None,
    *,
    partial: bool = False,
) -> Qrels:
    """Read which texts belong to which clips from a table that says so.

    Args:
        table: an array of `(texts,)` rows of the clips from 0, or of `(m, 2)` pairs of rows, in a
            `.npy` file or a tensor of a safetensors file; a table (`.csv`, `.jsonl`, `.parquet`)
            with the ids of texts (`text_id`, `text` or `id`) and videos (`video_id` or `video`),
            such as `moviola table` writes, or with `caption` in place of the former, which is
            what `moviola encode` took; anything else is TREC qrels.
        texts: ids of the texts, in order.
        clips: ids of the clips, in order.
        find_clip: finds the id of the clip that a name means; None goes by the ids alone.
        partial: pass over what the table names and is not there; something must be.

    Raises:
        ValueError: naming the row or the id that is not there.
        DatasetError: naming the line that cannot be read.
    """
    shown = display_path(table.spec)
    if table.kind == "array":
        return _of_rows(table.integers(), shown, texts, clips)
    if table.kind == "table":
        pairs: Iterable[tuple[str, str]] = _of_table(table.path)
    elif table.kind == "lines":
        qrels = read_qrels(table.path).relevant
        pairs = [(text, clip) for text, ids in qrels.items() for clip in sorted(ids)]
    else:
        raise ValueError(f"{shown} is a folder; a file says which text belongs to which video")
    find = find_clip or NameIndex(clips).find
    if partial:
        pairs = list(pairs)
        names = NameIndex(texts)
        there = [(text, clip) for text, clip in pairs if names.find(text) and find(clip)]
        pairs = there or pairs  # where nothing is there, the first is named
    return _checked(pairs, shown, texts, find)


def _of_rows(
    rows: NDArray[np.int64], shown: str, texts: Sequence[str], clips: Sequence[str]
) -> Qrels:
    """Join by numbers of rows: `(texts,)` rows of clips, or `(m, 2)` pairs of text and clip."""
    if rows.shape == (len(texts),):
        pairs = np.stack([np.arange(len(texts)), rows], axis=1)
    elif rows.ndim == 2 and rows.shape[1] == 2 and len(rows):
        pairs = rows
    else:
        raise ValueError(
            f"{shown} has shape {rows.shape}; for {len(texts)} texts it must be ({len(texts)},) "
            f"rows of videos, or (m, 2) pairs of rows: text, video"
        )
    sizes = np.array([len(texts), len(clips)])
    outside = np.argwhere((pairs < 0) | (pairs >= sizes))
    if len(outside):
        row, column = (int(part) for part in outside[0])
        place = f"{row}" if rows.ndim == 1 else f"{row}, {column}"
        ids = len({int(found) for found, _ in outside}) == len(pairs)
        hint = "; are these ids? Row numbers are wanted" if ids else ""
        raise ValueError(
            f"{shown}[{place}] is {pairs[row, column]}; there are {sizes[column]} "
            f"{('texts', 'videos')[column]}, rows 0 to {sizes[column] - 1}{hint}"
        )
    return _gathered((texts[int(text)], clips[int(clip)]) for text, clip in pairs)


def _of_table(path: Path) -> list[tuple[str, str]]:
    """Read pairs of ids from the named columns of a table."""
    rows = [row for row in read_rows(path, []) if not is_gallery_row(row)]
    if not rows:
        raise DatasetError(f"{display_path(path)} has no rows; a pair stands on each")
    columns = rows[0].values
    text = next((name for name in _TEXT_COLUMNS if name in columns), None)
    video = next((name for name in _VIDEO_COLUMNS if name in columns), None)
    if video is None or (text is None and not {"caption", "sentence"} & columns.keys()):
        raise DatasetError(
            f"{display_path(path)} has the columns {', '.join(map(str, columns))}; to say which "
            f"text belongs to which video it needs 'text' and 'video', both ids"
        )
    clips = [_clip_of(row, video) for row in rows]
    texts = caption_ids(clips) if text is None else [row.name(text) for row in rows]
    return list(zip(texts, clips, strict=True))


def _clip_of(row: Row, column: str) -> str:
    """Name the clip of a row; a row of captions may mean a part of its video."""
    if column == "video" and "caption" in row.values:
        return str(caption_of(row).clip)
    return row.name(column)


def _checked(
    pairs: Iterable[tuple[str, str]],
    shown: str,
    texts: Sequence[str],
    find_clip: Callable[[str], str | None],
) -> Qrels:
    """Refuse names that are not there."""
    known = NameIndex(texts)
    hint = "; rows of an array are called by their number, from 0" if texts[0] == "0" else ""
    found: list[tuple[str, str]] = []
    for given_text, given_clip in pairs:
        text, clip = known.find(given_text), find_clip(given_clip)
        if text is None:
            raise ValueError(f"{shown}: there is no text {given_text!r}{hint}")
        if clip is None:
            raise ValueError(
                f"{shown}: there is no video {given_clip!r}, relevant to {given_text!r}{hint}"
            )
        found.append((text, clip))
    return _gathered(found)


def _gathered(pairs: Iterable[tuple[str, str]]) -> Qrels:
    relevant: dict[str, set[str]] = {}
    for text, clip in pairs:
        relevant.setdefault(text, set()).add(clip)
    return Qrels({text: frozenset(ids) for text, ids in relevant.items()})
