"""Read MSR-VTT's annotation layout: one JSON of `videos` and `sentences`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from moviola.core import DatasetError, Span, display_path
from moviola.datasets.annotations.files import read_json_object
from moviola.datasets.annotations.footage import WHOLE_VIDEO, Source
from moviola.datasets.annotations.tables import Row, object_rows


@dataclass(frozen=True, slots=True)
class AnnotatedVideo:
    """Hold one entry of `videos`.

    Attributes:
        id: the video's id, which is also its file's name without suffix.
        split: as the file says it; `val` is told as `validate`.
        span: the whole video, from its stated length where there is one.
        category: as the file says it, a number or words; empty where it does not.
    """

    id: str
    split: str
    span: Span
    category: str = ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """Hold one entry of `sentences`.

    Attributes:
        video: the id of the video that it describes.
        caption: its words.
        flags: names of its fields that are true, such as `held_out`.
    """

    video: str
    caption: str
    flags: frozenset[str]


@dataclass(frozen=True, slots=True)
class Annotations:
    """Hold the videos by id and the sentences in order, of one or several files."""

    videos: Mapping[str, AnnotatedVideo]
    sentences: Sequence[Sentence]

    def sources(self, split: str) -> dict[str, Source]:
        """Video id to where its clip comes from, for the videos of a split, or of `"all"`."""
        return {
            video.id: Source(video.id, video.span)
            for video in self.videos.values()
            if split in ("all", video.split)
        }


def read_annotations(paths: Sequence[Path]) -> Annotations:
    """Read the annotations of one data set, which may lie in several files.

    Raises:
        DatasetError: naming the file and the entry that is not as it should be, or a video that
            comes twice.
    """
    videos: dict[str, AnnotatedVideo] = {}
    sentences: list[Sentence] = []
    for path in paths:
        for row in _entries(path, "videos"):
            video = _video(row)
            if video.id in videos:
                raise DatasetError(f"{row.place}: the video {video.id!r} comes a second time")
            videos[video.id] = video
    for path in paths:
        for row in _entries(path, "sentences"):
            sentence = _sentence(row)
            if sentence.video not in videos:
                raise DatasetError(
                    f"{row.place}: there is no video {sentence.video!r} among the videos"
                )
            sentences.append(sentence)
    return Annotations(videos, sentences)


def find_annotations(root: Path) -> Annotations:
    """Find the annotations in `root` or its `annotations/`, as `look_for_annotations`.

    Raises:
        DatasetError: as `read_annotations`, or when there are none.
    """
    found = look_for_annotations(root)
    if found is None:
        raise DatasetError(
            f"{display_path(root)} has no annotations.json, MSRVTT_data.json or "
            f"*videodatainfo*.json"
        )
    return found


def look_for_annotations(root: Path) -> Annotations | None:
    """Look for annotations in `root` or its `annotations/`; None where there are none.

    They are the files called `annotations.json`, or else `MSRVTT_data.json`, or else all that fit
    `*videodatainfo*.json`.

    Raises:
        DatasetError: as `read_annotations`.
    """
    for pattern in ("annotations.json", "MSRVTT_data.json", "*videodatainfo*.json"):
        for folder in (root, root / "annotations", root / "annotation"):
            found = sorted(folder.glob(pattern))
            if found:
                return read_annotations(found)
    return None


def _entries(path: Path, key: str) -> list[Row]:
    return object_rows(read_json_object(path).get(key), f"{display_path(path)}, {key}")


def _video(row: Row) -> AnnotatedVideo:
    split = row.text("split")
    start, end = row.seconds("start time"), row.seconds("end time")
    # The times cut the video out of a longer one; the file holds what was cut.
    length = 0.0 if start is None or end is None else end - start
    return AnnotatedVideo(
        id=row.name("video_id"),
        split="validate" if split == "val" else split,
        span=Span(0.0, length) if 0 < length < WHOLE_VIDEO.end else WHOLE_VIDEO,
        category="" if row.values.get("category") in (None, "") else row.name("category"),
    )


def _sentence(row: Row) -> Sentence:
    return Sentence(
        video=row.name("video_id"),
        caption=row.text("caption"),
        flags=frozenset(name for name, value in row.values.items() if value is True),
    )
