"""Make one checked table of videos, their captions, and both kinds of embeddings."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moviola.core import DatasetError, Span, display_path
from moviola.datasets.annotations.captions import Caption, caption_ids, read_caption_table
from moviola.datasets.annotations.footage import Footage
from moviola.datasets.annotations.names import video_of
from moviola.pipeline.inputs.table_writing import write_table
from moviola.pipeline.inputs.vector_folder import VectorFolder

#: Columns of the table, in order. Those of the second group are there where the captions have
#: them; paths are relative to the folder of the table.
COLUMNS = (
    ("id", "video", "caption"),
    ("start", "end", "split"),
    ("video_path", "video_embedding", "video_shape", "text_embedding", "text_shape"),
)
_SUFFIXES = (".csv", ".parquet")


@dataclass(frozen=True, slots=True)
class Absent:
    """Something without a counterpart: what it is, such as `video`, and what it is called."""

    what: str
    name: str


@dataclass(frozen=True, slots=True)
class BadFile:
    """A file that cannot be used, and why."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class TableReport:
    """Count what was written.

    Attributes:
        rows: captions that have everything, one row each.
        captions: captions that there are.
        uncaptioned: videos without captions, which have a row each and stay in the gallery.
        missing: videos and embeddings that a caption needs and that are not there.
        bad: embeddings that cannot be used.
        unused: videos without an embedding and texts' embeddings that no caption needs.
    """

    rows: int
    captions: int
    uncaptioned: int
    missing: tuple[Absent, ...]
    bad: tuple[BadFile, ...]
    unused: tuple[Absent, ...]


def make_table(
    *,
    captions: Path,
    video_embeddings: Path,
    text_embeddings: Path,
    out: Path,
    videos: Path | None = None,
    columns: Mapping[str, str] | None = None,
) -> TableReport:
    """Join captions with their videos and embeddings, one row a caption.

    A row has `id`, `video`, `caption`, then `start`, `end` and `split` where the captions have
    them, `video_path`, `video_embedding`, `video_shape`, `text_embedding` and `text_shape`. Shapes
    read like `512` or `32x768`. Captions that lack a video or an embedding get no row and are
    reported; words and ids are written as they are. Videos that no caption describes get a row
    without id, words and embedding of a text: they can be found by mistake. The table is there as
    a whole or not at all, and takes the place of an older one.

    Args:
        captions: table with `video` and `caption`, as `read_caption_table` reads it.
        video_embeddings: folder of one `.npy` a video, `(D,)` or `(n, D)`, called by its id or by
            its file's name.
        text_embeddings: folder of one `.npy` a caption, called like `video7890-1.npy` for the
            first caption of `video7890`.
        out: the table, `.csv` or `.parquet`.
        videos: folder of videos; None where they are not at hand, which leaves their paths empty.
        columns: what is read of the captions to the name of its column, as `read_caption_table`.

    Raises:
        DatasetError: naming the file and the row that is wrong, or when no caption has everything.
        ValueError: when a folder holds no `.npy`, or embeddings of the other kind.
    """
    if out.suffix.lower() not in _SUFFIXES:
        raise ValueError(f"{display_path(out)} must end in {' or '.join(_SUFFIXES)}")
    described = read_caption_table(captions, columns)
    if not described:
        raise DatasetError(f"{display_path(captions)} holds no captions")
    if described[0].video is None:
        raise DatasetError(f"{described[0].place}: there is no column 'video' to join by")
    if out.exists() and out.samefile(captions):
        raise ValueError(f"{display_path(out)} is the table of captions; write to another file")
    vectors = VectorFolder(video_embeddings, "clips"), VectorFolder(text_embeddings, "texts")
    join = _Join(None if videos is None else Footage(videos), *vectors, out.parent)
    names = caption_ids(str(caption.clip) for caption in described)
    rows = [join.row(name, caption) for name, caption in zip(names, described, strict=True)]
    whole = [row for row in rows if row is not None]
    missing = tuple(join.missing)
    if not whole:
        lacking = [f"the first to be missing is the {each.what} {each.name!r}" for each in missing]
        reason = [*lacking, *(why for folder in vectors for why in folder.bad.values())][0]
        raise DatasetError(
            f"none of the {len(rows):,} captions of {display_path(captions)} has all that it "
            f"needs; {reason}"
        )
    gallery = join.gallery_rows()
    bad = tuple(
        BadFile(display_path(path), why) for folder in vectors for path, why in folder.bad.items()
    )
    written = [*whole, *gallery]
    given = [column for column in COLUMNS[1] if any(row[column] is not None for row in written)]
    write_table(out, [*COLUMNS[0], *given, *COLUMNS[2]], written)
    unused = tuple(join.unused())
    return TableReport(len(whole), len(rows), len(gallery), missing, bad, unused)


class _Join:
    """Look up what belongs to a caption, and keep what was not found."""

    def __init__(
        self, footage: Footage | None, videos: VectorFolder, texts: VectorFolder, base: Path
    ) -> None:
        self._footage, self._videos, self._texts = footage, videos, texts
        self._base = base.resolve()
        self._seen: set[Path] = set()
        self._missing: dict[Absent, None] = {}

    @property
    def missing(self) -> list[Absent]:
        """List what captions need and is not there, each once, in order."""
        return list(self._missing)

    def unused(self) -> Iterable[Absent]:
        """List what no row names."""
        if self._footage is not None:
            for path in self._footage.paths:
                if path not in self._seen:
                    yield Absent("video", self._footage.name_of(path))
        yield from (Absent("text embedding", name) for name in self._texts.unused())

    def row(self, name: str, caption: Caption) -> dict[str, Any] | None:
        """Make the row of a caption, or None where something of it is missing or bad."""
        clip = str(caption.clip)
        video = self._find_video(str(caption.video))
        names = [clip]
        if self._footage is not None and video is not None:
            # Encoding a folder calls an item by its file's name, or by its path where two share it.
            cut = clip[len(clip.rpartition("@")[0]) :] if caption.span else ""
            below = video.relative_to(self._footage.root).as_posix()
            names += [f"{display_path(called)}{cut}" for called in (video.stem, below)]
        vectors = next((found for each in names if (found := self._videos.find(each))), None)
        words = self._texts.find(name)
        for what, called, there in (
            ("video", str(caption.video), self._footage is None or video is not None),
            ("video embedding", clip, vectors is not None),
            ("text embedding", name, words is not None),
        ):
            if not there:
                self._missing.setdefault(Absent(what, called))
        shapes = [
            folder.shape(path) if path is not None else None
            for folder, path in ((self._videos, vectors), (self._texts, words))
        ]
        if (self._footage is not None and video is None) or None in shapes:
            return None
        return self._written(
            *(name, caption.video, caption.text, caption.span, caption.split),
            files=(video, vectors, words),
            shapes=shapes,
        )

    def gallery_rows(self) -> list[dict[str, Any]]:
        """Make a row for every video that has an embedding and that no caption describes."""
        rows: list[dict[str, Any]] = []
        for name in self._videos.unused():
            path = self._videos.paths[name]
            shape = self._videos.shape(path)
            if shape is not None:
                video = video_of(name)
                file, span = self._find_video(video), _span_of(name)
                rows.append(
                    self._written(
                        *("", video, "", span, None),
                        files=(file, path, None),
                        shapes=(shape, ""),
                    )
                )
        return rows

    def _find_video(self, name: str) -> Path | None:
        found = None if self._footage is None else self._footage.find(name)
        if found is not None:
            self._seen.add(found)
        return found

    def _written(
        self,
        name: str,
        video: str | None,
        words: str,
        span: Span | None,
        split: str | None,
        *,
        files: tuple[Path | None, Path | None, Path | None],
        shapes: Sequence[str | None],
    ) -> dict[str, Any]:
        paths = ["" if path is None else self._relative(path) for path in files]
        return {
            "id": name,
            "video": video,
            "caption": words,
            "start": span.start if span else None,
            "end": span.end if span else None,
            "split": split,
            "video_path": paths[0],
            "video_embedding": paths[1],
            "video_shape": shapes[0],
            "text_embedding": paths[2],
            "text_shape": shapes[1],
        }

    def _relative(self, path: Path) -> str:
        """Write `path` as the table has it: relative to its folder, with slashes."""
        try:
            relative = os.path.relpath(path.absolute(), self._base)
        except ValueError:  # another drive of Windows
            relative = str(path.absolute())
        try:
            relative.encode()
        except UnicodeEncodeError:
            raise DatasetError(
                f"{display_path(path)}: the name is not valid Unicode and cannot stand in a "
                f"table; rename the file"
            ) from None
        return Path(relative).as_posix()


def _span_of(clip: str) -> Span | None:
    """Read the span in a clip's id `VIDEO@START-END`, or None where it is a whole video."""
    cut = clip[len(video_of(clip)) :]
    if not cut:
        return None
    start, _, end = cut[1:].partition("-")
    return Span(float(start), float(end))
