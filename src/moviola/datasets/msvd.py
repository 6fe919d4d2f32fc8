"""Load MSVD: short videos with some forty captions each, all of which count."""

from __future__ import annotations

from pathlib import Path

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

_SPLITS = ("train", "val", "test")


def load(root: Path, split: str) -> RetrievalDataset:
    """Load one split of MSVD (Chen and Dolan, 2011).

    Annotations are `captions_msvd.json` (video id to list of captions) and the lists
    `train_list.txt`, `val_list.txt` and `test_list.txt` (1,200, 100 and 670 ids), in `root` or in
    a folder of it. `test` is the protocol `msvd`: every caption is a query, and any caption of the
    right video counts.

    Args:
        root: the folder; videos lie in its `videos/` or anywhere below it.
        split: `train`, `val` or `test`.

    Raises:
        DatasetError: naming the file and the place, or what was published and is not there; also
            when two of the lists share videos.
    """
    if split not in _SPLITS:
        raise DatasetError(f"MSVD has no split {split!r}; it has {', '.join(_SPLITS)}")
    chosen = find_annotation(root, f"{split}_list.txt", f"*msvd*{split}_list.txt")
    videos = read_ids(chosen)
    for other in _SPLITS:
        listed = look_for(root, f"{other}_list.txt", f"*msvd*{other}_list.txt")
        if listed is not None and other != split:
            refuse_overlap(videos, chosen, read_ids(listed), listed)
    published = find_protocol("msvd").training
    if split in published:
        require_count("videos", len(videos), published[split], chosen)
    annotation = find_annotation(root, "captions_msvd.json")
    captions = read_json_object(annotation)
    pairs: list[tuple[str, str]] = []
    for video in videos:
        if video not in captions:
            raise DatasetError(
                f"{display_path(annotation)} has no captions of {video!r}, which "
                f"{display_path(chosen)} lists"
            )
        place = f"{display_path(annotation)}, {video!r}"
        pairs += [(video, words) for words in caption_list(captions[video], place)]
    name = "msvd" if split == "test" else f"msvd-{split}"
    found = assemble(name, open_footage(root), {video: Source(video) for video in videos}, pairs)
    return require_protocol(found, annotation) if split == "test" else found
