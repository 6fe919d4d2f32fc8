"""Load ActivityNet Captions as paragraphs: the sentences of a video joined."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from moviola.core import DatasetError, RetrievalDataset, display_path
from moviola.datasets.annotations.coverage import require_count, require_protocol
from moviola.datasets.annotations.files import caption_list, read_json_object
from moviola.datasets.annotations.footage import Source
from moviola.datasets.annotations.gallery import (
    assemble,
    find_annotation,
    look_for,
    open_footage,
    read_ids,
    refuse_overlap,
)
from moviola.datasets.annotations.protocols import find_protocol

_SPLITS = ("train", "val_1", "val_2")


def load(root: Path, split: str) -> RetrievalDataset:
    """Load one split of ActivityNet Captions (Krishna et al., 2017), one paragraph a video.

    Annotations are the published `train.json`, `val_1.json` and `val_2.json` (video id to an
    object with `sentences`), in `root` or in a folder of it. `val_1` is the protocol
    `activitynet-val1`. The two validation files describe the same videos; neither may share one
    with the training file, nor with the list `activity-net_train_list.txt` where that is there.

    Args:
        root: the folder; videos lie in its `videos/` or anywhere below it.
        split: `train`, `val_1` or `val_2`.

    Raises:
        DatasetError: naming the file and the place, or what was published and is not there; also
            when training and validation share videos.
    """
    if split not in _SPLITS:
        raise DatasetError(f"ActivityNet has no split {split!r}; it has {', '.join(_SPLITS)}")
    path = find_annotation(root, f"{split}.json")
    paragraphs = _paragraphs(path)
    rivals = ("val_1.json", "val_2.json") if split == "train" else ("train.json", _TRAIN_LIST)
    for rival in rivals:
        other = look_for(root, rival)
        if other is not None:
            videos = read_ids(other) if other.suffix == ".txt" else list(read_json_object(other))
            refuse_overlap(paragraphs, path, videos, other)
    name = "activitynet-val1" if split == "val_1" else f"activitynet-{split}"
    found = assemble(
        name,
        open_footage(root),
        {video: Source(video) for video in paragraphs},
        list(paragraphs.items()),
    )
    published = find_protocol("activitynet-val1").training
    if split in published:
        require_count("videos", len(paragraphs), published[split], path)
    return require_protocol(found, path) if split == "val_1" else found


_TRAIN_LIST = "activity-net_train_list.txt"


def _paragraphs(path: Path) -> dict[str, str]:
    paragraphs: dict[str, str] = {}
    for video, value in read_json_object(path).items():
        place = f"{display_path(path)}, {video!r}"
        if not isinstance(value, dict):
            raise DatasetError(f"{place}: {type(value).__name__} instead of an object")
        sentences = cast("dict[str, Any]", value).get("sentences")
        paragraphs[video] = " ".join(
            sentence.strip() for sentence in caption_list(sentences, f"{place}, sentences")
        )
    return paragraphs
