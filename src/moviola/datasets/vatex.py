"""Load VATEX: ten English captions a video."""

from __future__ import annotations

from pathlib import Path

from moviola.core import DatasetError, RetrievalDataset, display_path
from moviola.datasets.annotations.coverage import require_count, require_protocol
from moviola.datasets.annotations.files import caption_list, read_json
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
from moviola.datasets.annotations.tables import object_rows

_SPLITS = ("train", "val", "test")
#: The published files by what VATEX itself calls their splits.
_FILES = {
    "training": "vatex_training*.json",
    "validation": "vatex_validation*.json",
    "public-test": "vatex_public_test*.json",
}


def load(root: Path, split: str) -> RetrievalDataset:
    """Load one split of VATEX (Wang et al., 2019), by its English captions.

    Annotations are the published JSON files (lists of objects with `videoID` and ten captions in
    `enCap`), in `root` or in a folder of it. `training`, `validation` and `public-test` are those
    files as they are. `train`, `val` and `test` are retrieval's split of them (Chen et al.,
    2020: 25,991, 1,500 and 1,500 videos), by lists of ids called `train_list.txt`,
    `val_list.txt` and `test_list.txt`, or `vatex_train_list.txt` and so on; `test` is the
    protocol `vatex`.

    Args:
        root: the folder; videos lie in its `videos/` or anywhere below it, each called by its id,
            such as `Ptf_2VRj-V0_000122_000132`.
        split: one of those six.

    Raises:
        DatasetError: naming the file and the place, or what was published and is not there; also
            when two of the lists share videos.
    """
    if split in _FILES:
        path = find_annotation(root, _FILES[split])
        captions = _captions(path)
        return _assembled(f"vatex-{split}", root, captions)
    if split not in _SPLITS:
        known = ", ".join((*_SPLITS, *_FILES))
        raise DatasetError(f"VATEX has no split {split!r}; it has {known}")
    chosen = find_annotation(root, *_lists(split))
    videos = read_ids(chosen)
    for other in _SPLITS:
        listed = look_for(root, *_lists(other))
        if listed is not None and other != split:
            refuse_overlap(videos, chosen, read_ids(listed), listed)
    published = find_protocol("vatex").training
    if split in published:
        require_count("videos", len(videos), published[split], chosen)
    captions = _all_captions(root)
    for video in videos:
        if video not in captions:
            raise DatasetError(
                f"{display_path(chosen)} lists {video!r}, of which no VATEX file in "
                f"{display_path(root)} has captions"
            )
    name = "vatex" if split == "test" else f"vatex-{split}"
    found = _assembled(name, root, {video: captions[video] for video in videos})
    return require_protocol(found, chosen) if split == "test" else found


def _lists(split: str) -> tuple[str, str]:
    return f"{split}_list.txt", f"vatex_{split}_list.txt"


def _assembled(name: str, root: Path, captions: dict[str, list[str]]) -> RetrievalDataset:
    pairs = [(video, words) for video, sentences in captions.items() for words in sentences]
    return assemble(name, open_footage(root), {video: Source(video) for video in captions}, pairs)


def _all_captions(root: Path) -> dict[str, list[str]]:
    found = [path for pattern in _FILES.values() if (path := look_for(root, pattern))]
    captions: dict[str, list[str]] = {}
    for path in found:
        own = _captions(path)
        shared = sorted(set(own) & set(captions))
        if shared:
            raise DatasetError(f"{display_path(path)}: {shared[0]!r} is in another file as well")
        captions |= own
    return captions


def _captions(path: Path) -> dict[str, list[str]]:
    captions: dict[str, list[str]] = {}
    for row in object_rows(read_json(path), display_path(path)):
        video = row.name("videoID")
        if video in captions:
            raise DatasetError(f"{row.place}: {video!r} comes a second time")
        captions[video] = caption_list(row.values.get("enCap"), f"{row.place}, enCap")
    return captions
