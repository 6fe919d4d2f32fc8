"""Captions in plain tables, and what captions are called."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from moviola.core import DatasetError, Span, Text, display_path
from moviola.core.videos import VIDEO_SUFFIXES
from moviola.datasets.tables import TABLE_SUFFIXES, Row, read_rows, read_text
from moviola.datasets.videodatainfo import read_annotations

_SUFFIXES = (*TABLE_SUFFIXES, ".json", ".txt")


@dataclass(frozen=True, slots=True)
class Caption:
    """One row of a table of captions.

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
        """The id of the clip it describes: the video without suffix, `@START-END` where cut."""
        if self.video is None:
            return None
        video = Path(self.video)
        known = video.suffix.lower() in VIDEO_SUFFIXES
        name = video.with_suffix("").as_posix() if known else self.video
        return f"{name}@{self.span.start:.3f}-{self.span.end:.3f}" if self.span else name


def is_caption_table(path: Path) -> bool:
    """Whether `path` is a file that `read_captions` may read."""
    return path.suffix.lower() in _SUFFIXES and path.is_file()


def read_captions(path: Path) -> list[Text]:
    """The captions of one file.

    A table (`.csv`, `.jsonl`, `.parquet`) has the column `caption`, and may have `video`, `start`,
    `end` and `split`; a `.json` has MSR-VTT's annotation layout; a `.txt` has one caption a line.
    Captions of videos are called as `caption_ids` says, others `caption-1`, `caption-2`, ….

    Raises:
        DatasetError: naming the file, the row, and what is wrong.
    """
    suffix = path.suffix.lower()
    if suffix == ".json":
        sentences = read_annotations([path]).sentences
        pairs = [(sentence.video, sentence.caption) for sentence in sentences]
    elif suffix == ".txt":
        pairs = [("caption", line) for line in read_text(path).splitlines() if line.strip()]
    else:
        pairs = [(caption.clip or "caption", caption.text) for caption in read_caption_table(path)]
    if not pairs:
        raise DatasetError(f"{display_path(path)} holds no captions")
    names = caption_ids(clip for clip, _ in pairs)
    return [Text(name, text) for name, (_, text) in zip(names, pairs, strict=True)]


def caption_ids(clips: Iterable[str]) -> list[str]:
    """Ids of captions from the ids of their clips: `video7890-1`, `video7890-2`, …, in order."""
    counts: dict[str, int] = {}
    ids: list[str] = []
    for clip in clips:
        counts[clip] = counts.get(clip, 0) + 1
        ids.append(f"{clip}-{counts[clip]}")
    return ids


def read_caption_table(path: Path) -> list[Caption]:
    """The rows of a table with the column `caption` and perhaps `video`, `start`, `end`, `split`.

    Raises:
        DatasetError: naming the row and what is wrong with it.
    """
    return [_caption(row) for row in read_rows(path, ["caption"])]


def _caption(row: Row) -> Caption:
    start, end = row.seconds("start"), row.seconds("end")
    if (start is None) != (end is None):
        raise DatasetError(f"{row.place}: a moment needs both start and end, in seconds")
    try:
        span = None if start is None or end is None else Span(start, end)
    except ValueError as error:
        raise DatasetError(f"{row.place}: {error}") from None
    return Caption(
        place=row.place,
        video=row.text("video") if "video" in row.values else None,
        text=row.text("caption"),
        span=span,
        split=row.text("split") if "split" in row.values else None,
    )
