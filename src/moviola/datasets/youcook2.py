"""Load YouCook2: clips of cooking videos, one sentence each."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from moviola.core import DatasetError, RetrievalDataset, display_path
from moviola.datasets.annotations.coverage import require_count, require_protocol
from moviola.datasets.annotations.files import read_json_object
from moviola.datasets.annotations.footage import Source
from moviola.datasets.annotations.gallery import (
    assemble,
    find_annotation,
    look_for,
    open_footage,
    refuse_overlap,
)
from moviola.datasets.annotations.protocols import find_protocol
from moviola.datasets.annotations.tables import Row, object_rows, read_rows

_SUBSETS = {"train": "training", "validation": "validation"}
_CLIPS = "validation_youcook.csv"
_DATABASE = "youcookii_annotations_trainval.json"


def load(root: Path, split: str) -> RetrievalDataset:
    """Load one split of YouCook2 (Zhou et al., 2018), one caption a clip.

    `val` is the protocol `youcook2-val`: the clips of `validation_youcook.csv` (columns
    `video_id`, `start`, `end`, `text`; Miech et al., 2020). `train` and `validation` are the
    subsets of the published `youcookii_annotations_trainval.json`, whose validation holds more
    videos than that list. A clip is called `VIDEO@START-END`; one clip of the list has two
    captions, so that its 3,350 captions describe 3,349 clips.

    Args:
        root: the folder; videos lie in its `videos/` or anywhere below it.
        split: `train`, `val` or `validation`.

    Raises:
        DatasetError: naming the file and the place, or what was published and is not there; also
            when training and validation share videos.
    """
    if split == "val":
        path = find_annotation(root, _CLIPS)
        described = [(_source(row), row.text("text")) for row in read_rows(path, _COLUMNS)]
    elif split in _SUBSETS:
        path = find_annotation(root, _DATABASE)
        described = _segments(path, _SUBSETS[split])
    else:
        raise DatasetError(f"YouCook2 has no split {split!r}; it has train, val, validation")
    videos = {source.video for source, _ in described}
    published = find_protocol("youcook2-val").training
    if split in published:
        require_count("videos", len(videos), published[split], path)
    _refuse_leak(root, split, videos, path)
    found = assemble(
        f"youcook2-{split}",
        open_footage(root),
        {source.clip: source for source, _ in described},
        [(source.clip, words) for source, words in described],
    )
    return require_protocol(found, path) if split == "val" else found


_COLUMNS = ("video_id", "start", "end", "text")


def _refuse_leak(root: Path, split: str, videos: set[str], path: Path) -> None:
    if split == "train" and (other := look_for(root, _CLIPS)):
        tested = {row.name("video_id") for row in read_rows(other, _COLUMNS)}
        refuse_overlap(videos, path, tested, other)
    elif split == "val" and (other := look_for(root, _DATABASE)):
        trained = {source.video for source, _ in _segments(other, "training")}
        refuse_overlap(videos, path, trained, other)


def _source(row: Row) -> Source:
    span = row.span()
    if span is None:
        raise DatasetError(f"{row.place}: a clip needs start and end, in seconds")
    return Source(row.name("video_id"), span)


def _segments(path: Path, subset: str) -> list[tuple[Source, str]]:
    shown = display_path(path)
    database = read_json_object(path).get("database")
    if not isinstance(database, dict):
        raise DatasetError(f"{shown}: there is no object 'database'")
    segments: list[tuple[Source, str]] = []
    for video, value in cast("dict[str, Any]", database).items():
        if not isinstance(value, dict):
            raise DatasetError(f"{shown}, {video!r}: {type(value).__name__} instead of an object")
        entry = cast("dict[str, Any]", value)
        if entry.get("subset") == subset:
            rows = object_rows(entry.get("annotations"), f"{shown}, {video!r}, annotations")
            segments += [(_source(_flat(video, row)), row.text("sentence")) for row in rows]
    return segments


def _flat(video: str, row: Row) -> Row:
    """Turn a segment into a row of the list: with `video_id`, `start` and `end`."""
    bounds = row.values.get("segment")
    if not isinstance(bounds, list) or len(cast("list[Any]", bounds)) != 2:
        raise DatasetError(f"{row.place}: 'segment' is {bounds!r}, not [start, end] in seconds")
    start, end = cast("list[Any]", bounds)
    return Row(row.place, {"video_id": video, "start": start, "end": end})
