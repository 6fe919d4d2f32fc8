"""Load the splits of MSR-VTT that papers use, each checked against what was published."""

from __future__ import annotations

from pathlib import Path

from moviola.core import DatasetError, RetrievalDataset, display_path
from moviola.datasets.annotations.coverage import require_count, require_protocol
from moviola.datasets.annotations.footage import Source
from moviola.datasets.annotations.gallery import (
    assemble,
    find_annotation,
    look_for,
    open_footage,
    read_ids,
    refuse_overlap,
)
from moviola.datasets.annotations.msrvtt_categories import with_categories
from moviola.datasets.annotations.protocols import find_protocol
from moviola.datasets.annotations.tables import read_rows
from moviola.datasets.annotations.videodatainfo import find_annotations, look_for_annotations

#: Published splits by the list that defines them: patterns of its file's name, or what the
#: official annotations call the split.
_LISTS = {
    "1ka-train-7k": ("*train*7k*.csv",),
    "1ka-train-9k": ("*train*9k*.csv", "*train_list_jsfusion.txt"),
    "1kb": ("*test_list_miech.txt",),
    "1kb-train": ("*train_list_miech.txt",),
}
_OFFICIAL = {"full": "test", "full-train": "train", "full-val": "validate"}
_PAIRS = "*JSFUSION*test*.csv"

PUBLISHED = ("1ka", *_LISTS, *_OFFICIAL)
_RIVALS = {
    "1ka-train-7k": (_PAIRS,),
    "1ka-train-9k": (_PAIRS,),
    "1kb": _LISTS["1kb-train"],
    "1kb-train": _LISTS["1kb"],
}


def load_published(root: Path, split: str) -> RetrievalDataset:
    """Load a split, refused unless its counts and ids are the published ones.

    * `1ka` is the protocol `msrvtt-1ka`: the 1,000 pairs of JSFusion (Yu, Kim and Kim, 2018) in
      `*JSFUSION*test*.csv`, and needs nothing else. `1ka-train-7k` and `1ka-train-9k` are the two
      lists that papers train on for it (7,010 and 9,000 videos).
    * `1kb` is the protocol `msrvtt-1kb`: the 1,000 videos of `*test_list_miech.txt` (Miech, Laptev
      and Sivic, 2018), each with its first caption; `1kb-train` the 6,656 to train on.
    * `full` is the protocol `msrvtt-full`: the official 2,990 videos with 20 captions each;
      `full-train` and `full-val` the other 6,513 and 497.

    All but `1ka` take their captions from the official annotations; where those are there, all
    know the categories of their videos.

    Raises:
        DatasetError: naming the file that is not as published, or two that share videos.
    """
    if split == "1ka":
        return _pairs(root)
    annotations = find_annotations(root)
    if split in _LISTS:
        path = find_annotation(root, *_LISTS[split])
        videos = read_ids(path)
        _refuse_rivals(root, videos, path, _RIVALS[split])
    else:
        path = root
        videos = list(annotations.sources(_OFFICIAL[split]))
    counts = {
        name: count
        for protocol in ("msrvtt-1ka", "msrvtt-1kb", "msrvtt-full")
        for name, count in find_protocol(protocol).training.items()
    }
    if split in counts:
        require_count("videos", len(videos), counts[split], path)
    unknown = next((video for video in videos if video not in annotations.videos), None)
    if unknown is not None:
        raise DatasetError(
            f"{display_path(path)} lists {unknown!r}, which the annotations do not have"
        )
    wanted = set(videos)
    pairs = [(each.video, each.caption) for each in annotations.sentences if each.video in wanted]
    if split == "1kb":
        first: dict[str, str] = {}
        for video, caption in pairs:
            first.setdefault(video, caption)
        pairs = list(first.items())
    sources = {video: Source(video, annotations.videos[video].span) for video in videos}
    found = with_categories(
        assemble(f"msrvtt-{split}", open_footage(root), sources, pairs), annotations.videos
    )
    return require_protocol(found, path) if split in ("1kb", "full") else found


def _pairs(root: Path) -> RetrievalDataset:
    path = find_annotation(root, _PAIRS)
    pairs = [
        (row.name("video_id"), row.text("sentence"))
        for row in read_rows(path, ["video_id", "sentence"])
    ]
    sources = {video: Source(video) for video, _ in pairs}
    for training in ("1ka-train-7k", "1ka-train-9k"):
        _refuse_rivals(root, list(sources), path, _LISTS[training])
    found = require_protocol(assemble("msrvtt-1ka", open_footage(root), sources, pairs), path)
    annotations = look_for_annotations(root)
    return found if annotations is None else with_categories(found, annotations.videos)


def _refuse_rivals(root: Path, videos: list[str], path: Path, patterns: tuple[str, ...]) -> None:
    other = look_for(root, *patterns)
    if other is not None:
        refuse_overlap(videos, path, read_ids(other), other)
