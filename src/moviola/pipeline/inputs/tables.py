"""Write one checked table of a folder of videos, their captions, and both kinds of embeddings."""

# pyarrow ships no types, so every name that comes out of it is unknown to the checker.
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moviola.core import DatasetError, display_path
from moviola.datasets.annotations.captions import Caption, caption_ids, read_caption_table
from moviola.datasets.annotations.footage import Footage
from moviola.datasets.annotations.names import NameIndex
from moviola.store import Sidecar
from moviola.store.card import Kind
from moviola.store.npy import list_npy, open_npy, read_npy_rows

#: Columns of the table, in order. Those of the second group are there where the captions have
#: them; paths are relative to the folder of the table.
COLUMNS = (
    ("id", "video", "caption"),
    ("start", "end", "split"),
    ("video_path", "video_embedding", "video_shape", "text_embedding", "text_shape"),
)
_NUMBERS = {"start", "end"}
_SUFFIXES = (".csv", ".parquet")


@dataclass(frozen=True, slots=True)
class Absent:
    """Something without a counterpart: what it is, such as `video`, and what it is called."""

    what: str
    name: str


@dataclass(frozen=True, slots=True)
class TableReport:
    """Count what was written.

    Attributes:
        rows: captions that have everything, one row each.
        captions: captions that there are.
        missing: videos and embeddings that a caption needs and that are not there.
        unused: videos and embeddings that no caption needs.
    """

    rows: int
    captions: int
    missing: tuple[Absent, ...]
    unused: tuple[Absent, ...]


def make_table(
    *,
    videos: Path,
    captions: Path,
    video_embeddings: Path,
    text_embeddings: Path,
    out: Path,
) -> TableReport:
    """Join captions with their videos and embeddings, one row a caption.

    A row has `id`, `video`, `caption`, then `start`, `end` and `split` where the captions have
    them, `video_path`, `video_embedding`, `video_shape`, `text_embedding` and `text_shape`. Shapes
    read like `512` or `32x768`. Captions that lack a video or an embedding get no row and are
    reported; words and ids are written as they are. The table is there as a whole or not at all,
    and takes the place of an older one.

    Args:
        videos: folder of videos.
        captions: table with `video` and `caption`, as `read_caption_table` reads it.
        video_embeddings: folder of one `.npy` a video, `(D,)` or `(n, D)`, called by its id or by
            its file's name.
        text_embeddings: folder of one `.npy` a caption, called like `video7890-1.npy` for the
            first caption of `video7890`.
        out: the table, `.csv` or `.parquet`.

    Raises:
        DatasetError: naming the file and the row that is wrong, or when no caption has everything.
        ValueError: naming the `.npy` that is broken, not finite, all zeros, or of another length
            than the others of its folder.
    """
    if out.suffix.lower() not in _SUFFIXES:
        raise ValueError(f"{display_path(out)} must end in {' or '.join(_SUFFIXES)}")
    described = read_caption_table(captions)
    if not described:
        raise DatasetError(f"{display_path(captions)} holds no captions")
    if described[0].video is None:
        raise DatasetError(f"{described[0].place}: there is no column 'video' to join by")
    if out.exists() and out.samefile(captions):
        raise ValueError(f"{display_path(out)} is the table of captions; write to another file")
    vectors = _Folder(video_embeddings, "clips"), _Folder(text_embeddings, "texts")
    join = _Join(Footage(videos), *vectors, out.parent)
    names = caption_ids(str(caption.clip) for caption in described)
    rows = [join.row(name, caption) for name, caption in zip(names, described, strict=True)]
    whole = [row for row in rows if row is not None]
    missing = tuple(join.missing)
    if not whole:
        raise DatasetError(
            f"none of the {len(rows):,} captions of {display_path(captions)} has its video and "
            f"both embeddings; the first to be missing is the {missing[0].what} {missing[0].name!r}"
        )
    given = [column for column in COLUMNS[1] if any(row[column] is not None for row in whole)]
    _write(out, [*COLUMNS[0], *given, *COLUMNS[2]], whole)
    return TableReport(len(whole), len(rows), missing, tuple(join.unused()))


class _Folder:
    """List the `.npy` files of a folder by the id of their item, and check each when first used.

    Raises:
        ValueError: when there are none, or they are of the other kind.
    """

    def __init__(self, folder: Path, kind: Kind) -> None:
        sidecar = Sidecar.read(folder)
        if sidecar is not None and sidecar.kind != kind:
            raise ValueError(f"{display_path(folder)} holds {sidecar.kind}, not {kind}")
        self.paths = list_npy(folder)
        self._names = NameIndex(self.paths)
        self._shapes: dict[Path, str] = {}
        self._dimension: tuple[int, Path] | None = None

    def find(self, name: str) -> Path | None:
        """Find the file of the item that is called `name`, or None where there is none.

        Raises:
            ValueError: when the names of several files read like it.
        """
        found = self._names.find(name)
        return None if found is None else self.paths[found]

    def shape(self, path: Path) -> str:
        """Check one file and write its shape, such as `32x768`."""
        if path not in self._shapes:
            shown = display_path(path)
            array = open_npy(path)
            rows = read_npy_rows(path)
            if not rows.any(axis=1).all():
                raise ValueError(f"{shown} holds a vector of zeros, which has no direction")
            length, first = self._dimension or (array.shape[-1], path)
            self._dimension = length, first
            if array.shape[-1] != length:
                raise ValueError(
                    f"{shown} has vectors of {array.shape[-1]} numbers, "
                    f"{display_path(first.name)} of {length}"
                )
            self._shapes[path] = "x".join(map(str, array.shape))
        return self._shapes[path]

    def unused(self) -> list[str]:
        """List the ids of the files that nothing asked for."""
        return [name for name, path in self.paths.items() if path not in self._shapes]


class _Join:
    """Look up what belongs to a caption, and keep what was not found."""

    def __init__(self, footage: Footage, videos: _Folder, texts: _Folder, base: Path) -> None:
        self._footage, self._videos, self._texts = footage, videos, texts
        self._base = base.resolve()
        self._seen: set[Path] = set()
        self._missing: dict[Absent, None] = {}

    @property
    def missing(self) -> list[Absent]:
        """List what captions need and is not there, each once, in order."""
        return list(self._missing)

    def unused(self) -> Iterable[Absent]:
        """List what no caption needs."""
        for path in self._footage.paths:
            if path not in self._seen:
                yield Absent("video", self._footage.name_of(path))
        yield from (Absent("video embedding", name) for name in self._videos.unused())
        yield from (Absent("text embedding", name) for name in self._texts.unused())

    def row(self, name: str, caption: Caption) -> dict[str, Any] | None:
        """Make the row of a caption, or None where something of it is missing."""
        clip = str(caption.clip)
        video = self._footage.find(str(caption.video))
        names = [clip]
        if video is not None:
            self._seen.add(video)
            # Encoding a folder calls an item by its file's name, or by its path where two share it.
            cut = clip[len(clip.rpartition("@")[0]) :] if caption.span else ""
            below = video.relative_to(self._footage.root).as_posix()
            names += [f"{display_path(called)}{cut}" for called in (video.stem, below)]
        vectors = next((found for each in names if (found := self._videos.find(each))), None)
        words = self._texts.find(name)
        for what, called, path in (
            ("video", str(caption.video), video),
            ("video embedding", clip, vectors),
            ("text embedding", name, words),
        ):
            if path is None:
                self._missing.setdefault(Absent(what, called))
        shapes = [
            folder.shape(path) if path is not None else None
            for folder, path in ((self._videos, vectors), (self._texts, words))
        ]
        if video is None or vectors is None or words is None:
            return None
        return {
            "id": name,
            "video": caption.video,
            "caption": caption.text,
            "start": caption.span.start if caption.span else None,
            "end": caption.span.end if caption.span else None,
            "split": caption.split,
            "video_path": self._relative(video),
            "video_embedding": self._relative(vectors),
            "video_shape": shapes[0],
            "text_embedding": self._relative(words),
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


def _write(out: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.with_name(f".{out.name}.partial")
    try:
        if out.suffix.lower() == ".csv":
            with temporary.open("w", encoding="utf-8", newline="") as file:
                # Words are always quoted: a carriage return in them would end the row.
                writer = csv.DictWriter(
                    file,
                    columns,
                    extrasaction="ignore",
                    lineterminator="\n",
                    quoting=csv.QUOTE_NONNUMERIC,
                )
                writer.writeheader()
                writer.writerows(rows)
        else:
            _write_parquet(temporary, columns, rows)
        temporary.replace(out)
    finally:
        temporary.unlink(missing_ok=True)


def _write_parquet(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [(column, pa.float64() if column in _NUMBERS else pa.string()) for column in columns]
    )
    values = {column: [row[column] for row in rows] for column in columns}
    pq.write_table(pa.table(values, schema=schema), path)
