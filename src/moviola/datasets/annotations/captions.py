"""Read captions from plain tables, and name them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from moviola.core import DatasetError, Span, Text, display_path
from moviola.datasets.annotations.coco_file import read_coco
from moviola.datasets.annotations.files import checked_text, read_json_object, read_lines
from moviola.datasets.annotations.names import without_suffix
from moviola.datasets.annotations.tables import TABLE_SUFFIXES, Row, read_rows
from moviola.datasets.annotations.videodatainfo import read_annotations

#: What is read of a table, to the names that its column may have: the first that is there.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "video": ("video", "video_id"),
    "caption": ("caption", "sentence"),
    "start": ("start",),
    "end": ("end",),
    "split": ("split",),
}
_SUFFIXES = (*TABLE_SUFFIXES, ".json", ".txt")


@dataclass(frozen=True, slots=True)
class Caption:
    """Hold one row of a table of captions.

    Attributes:
        place: where it stands, such as `captions.csv, line 3`.
        video: what it says of its video: an id, a file name, or a path; None where the table has
            no such column.
        text: its words.
        span: the part of the video that it describes; None for the whole.
        split: None where the table has no such column.
    """

    place: str
    video: str | None
    text: str
    span: Span | None
    split: str | None

    @property
    def clip(self) -> str | None:
        """Name the clip it describes: the video without suffix, `@START-END` where cut."""
        return None if self.video is None else clip_name(self.video, self.span)


def clip_name(video: str, span: Span | None) -> str:
    """Name a clip: its video without suffix, with `@START-END` in seconds where it was cut."""
    name = without_suffix(video)
    return f"{name}@{span.start:.3f}-{span.end:.3f}" if span else name


def is_caption_table(path: Path) -> bool:
    """Tell whether `path` is a file that `read_captions` may read."""
    return path.suffix.lower() in _SUFFIXES and path.is_file()


def read_captions(path: Path) -> list[Text]:
    """Read the captions of one file.

    A table (`.csv`, `.jsonl`, `.parquet`) has the column `caption`, and may have `video`, `start`,
    `end` and `split`; a `.json` has the layout of MSR-VTT or of COCO captions; a `.txt` has one
    caption a line, and lines that are blank hold none. Captions of videos are called as
    `caption_ids` says; those of a table without videos `caption-1`, `caption-2`, …, by row, and
    those of a `.txt` by the number of their line.

    Raises:
        DatasetError: naming the file, the row, and what is wrong.
    """
    suffix = path.suffix.lower()
    if suffix == ".txt":
        texts = [
            Text(f"caption-{number}", checked_text(line, f"{display_path(path)}, line {number}"))
            for number, line in read_lines(path)
        ]
    else:
        captions = read_caption_table(path)
        names = caption_ids(caption.clip or "caption" for caption in captions)
        texts = [
            Text(name, caption.text, caption.clip)
            for name, caption in zip(names, captions, strict=True)
        ]
    if not texts:
        raise DatasetError(f"{display_path(path)} holds no captions")
    return texts


def caption_ids(clips: Iterable[str]) -> list[str]:
    """Name captions after their clips: `video7890-1`, `video7890-2`, …, in order."""
    counts: dict[str, int] = {}
    ids: list[str] = []
    for clip in clips:
        counts[clip] = counts.get(clip, 0) + 1
        ids.append(f"{clip}-{counts[clip]}")
    return ids


def read_caption_table(path: Path, columns: Mapping[str, str] | None = None) -> list[Caption]:
    """Read a table with the column `caption` and perhaps `video`, `start`, `end`, `split`.

    `sentence` and `video_id` are read as `caption` and `video` where there are no such columns. A
    `.json` in the layout of MSR-VTT or of COCO captions is read as such a table. Rows of
    `moviola table` that stand for a video without captions are passed over.

    Args:
        path: the table.
        columns: what is read, such as `caption`, to the name of its column here.

    Raises:
        DatasetError: naming the row and what is wrong with it, or the column that is not there.
        ValueError: when something is named in `columns` that is not read, or the file is `.json`.
    """
    if columns and (strange := sorted(columns.keys() - COLUMNS.keys())):
        raise ValueError(f"no column {strange[0]!r} is read; there are {', '.join(COLUMNS)}")
    if path.suffix.lower() == ".json":
        if columns:
            raise ValueError(f"{display_path(path)} has no columns to be named; leave them out")
        return _json_captions(path)
    named = columns or {}
    caption = named.get("caption", COLUMNS["caption"])
    rows = [with_columns(row, columns) for row in read_rows(path, [*named.values(), caption])]
    return [caption_of(row) for row in rows if not is_gallery_row(row)]


def with_columns(row: Row, columns: Mapping[str, str] | None = None) -> Row:
    """Call the columns of a row as `COLUMNS` does; `columns` says how they are called in it."""
    values = dict(row.values)
    for name, usual in COLUMNS.items():
        given = (columns or {}).get(name)
        called = (given,) if given else usual
        found = next((column for column in called if column in row.values), None)
        if found is not None:
            values[name] = row.values[found]
    return replace(row, values=values)


def is_gallery_row(row: Row) -> bool:
    """Tell whether a row of `moviola table` stands for a video that no caption describes."""
    return "id" in row.values and not (row.values["id"] or row.values.get("caption"))


def _json_captions(path: Path) -> list[Caption]:
    shown = display_path(path)
    value = read_json_object(path)
    if "sentences" in value:
        found = read_annotations([path])
        return [
            Caption(shown, each.video, each.caption, None, found.videos[each.video].split)
            for each in found.sentences
        ]
    if "annotations" in value:
        coco = read_coco(path)
        return [
            Caption(shown, coco.videos[clip], words, None, None) for clip, words in coco.captions
        ]
    raise DatasetError(
        f"{shown} has neither 'videos' and 'sentences', as MSR-VTT's annotations do, nor 'images' "
        f"and 'annotations', as COCO captions do"
    )


def caption_of(row: Row) -> Caption:
    """Read one row of a table of captions.

    Raises:
        DatasetError: naming the row and what is wrong with it.
    """
    return Caption(
        place=row.place,
        video=row.name("video") if "video" in row.values else None,
        text=row.text("caption").strip(),
        span=row.span(),
        split=row.name("split") if "split" in row.values else None,
    )
