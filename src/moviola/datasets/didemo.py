"""Load DiDeMo as paragraphs: the sentences of a video joined."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from moviola.core import DatasetError, RetrievalDataset, display_path
from moviola.datasets.annotations.coverage import require_protocol
from moviola.datasets.annotations.files import read_json
from moviola.datasets.annotations.footage import Source
from moviola.datasets.annotations.gallery import (
    assemble,
    find_annotation,
    look_for,
    open_footage,
    read_ids,
    refuse_overlap,
)
from moviola.datasets.annotations.names import spelled_alike
from moviola.datasets.annotations.tables import object_rows, read_rows

_SPLITS = ("train", "val", "test")


def load(root: Path, split: str) -> RetrievalDataset:
    """Load one split of DiDeMo (Hendricks et al., 2017), one paragraph a video.

    Annotations are the published `SPLIT_data.json` (a list of objects with `video` and
    `description`), whose sentences are joined in order, or `didemo_SPLIT_label.csv` (columns
    `video_path` and `text`), where they are joined already; in `root` or in a folder of it. A
    video's id is its file's name without the last suffix. Where lists of ids
    (`didemo_SPLIT_list.txt`) are there too, only listed videos count. `test` is the protocol
    `didemo`.

    Args:
        root: the folder; videos lie in its `videos/` or anywhere below it.
        split: `train`, `val` or `test`.

    Raises:
        DatasetError: naming the file and the place, or what was published and is not there; also
            when two splits share videos.
    """
    if split not in _SPLITS:
        raise DatasetError(f"DiDeMo has no split {split!r}; it has {', '.join(_SPLITS)}")
    annotation = find_annotation(root, *_annotations(split))
    paragraphs = _paragraphs(annotation)
    listed = look_for(root, _list(split))
    if listed is not None:
        wanted = dict.fromkeys(_id(name) for name in read_ids(listed))
        paragraphs = {video: paragraphs[video] for video in wanted if video in paragraphs}
    for other in _SPLITS:
        path = look_for(root, _list(other), *_annotations(other))
        if path is not None and other != split:
            refuse_overlap(paragraphs, annotation, _videos(path), path)
    name = "didemo" if split == "test" else f"didemo-{split}"
    found = assemble(
        name,
        open_footage(root),
        {video: Source(video) for video in paragraphs},
        [(video, " ".join(sentences)) for video, sentences in paragraphs.items()],
    )
    return require_protocol(found, annotation) if split == "test" else found


def _annotations(split: str) -> tuple[str, str]:
    return f"{split}_data.json", f"didemo_{split}_label.csv"


def _list(split: str) -> str:
    return f"didemo_{split}_list.txt"


def _videos(path: Path) -> Sequence[str]:
    if path.suffix == ".txt":
        return [_id(name) for name in read_ids(path)]
    return list(_paragraphs(path))


def _id(name: str) -> str:
    # Some published names end in a dot, others hold several; only what follows the last is cut.
    stem, dot, _ = PurePosixPath(spelled_alike(name)).name.rpartition(".")
    return stem if dot else name


def _paragraphs(path: Path) -> dict[str, list[str]]:
    paragraphs: dict[str, list[str]] = {}
    if path.suffix == ".json":
        for row in object_rows(read_json(path), display_path(path)):
            sentence = row.text("description").strip()
            paragraphs.setdefault(_id(row.name("video")), []).append(sentence)
        return paragraphs
    for row in read_rows(path, ["video_path", "text"]):
        video = _id(row.name("video_path"))
        if video in paragraphs:
            raise DatasetError(f"{row.place}: {video!r} comes a second time; keep one paragraph")
        paragraphs[video] = [row.text("text").strip()]
    return paragraphs
