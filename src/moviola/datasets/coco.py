"""Load data sets whose captions come in COCO's layout."""

from __future__ import annotations

from pathlib import Path

from moviola.core import DatasetError, RetrievalDataset, display_path
from moviola.datasets.annotations.coco_file import read_coco
from moviola.datasets.annotations.footage import Source
from moviola.datasets.annotations.gallery import assemble, find_annotation, open_footage


def load(root: Path, split: str) -> RetrievalDataset:
    """Load one split of a data set with COCO captions: videos and captions in one JSON a split.

    The file is called `captions_SPLIT.json` or `SPLIT.json`, in `root` or in a folder of it. A
    video is found by its `file_name`, or by its `id` where it has none, each with or without
    suffix. Videos without captions stay in the gallery.

    Args:
        root: the folder; videos lie in its `videos/` or anywhere below it.
        split: part of the file's name, such as `val`.

    Raises:
        DatasetError: naming the file and the entry, such as a caption of no video.
    """
    if not split or not split.replace("-", "").replace("_", "").isalnum():
        raise DatasetError(f"{split!r} is no split: it is part of a file's name, such as 'val'")
    path = find_annotation(root, f"captions_{split}.json", f"{split}.json")
    found = read_coco(path)
    if not found.captions:
        raise DatasetError(f"{display_path(path)} holds no captions")
    sources = {clip: Source(file) for clip, file in found.videos.items()}
    return assemble(
        f"{display_path(root.resolve().name)}-{split}", open_footage(root), sources, found.captions
    )
