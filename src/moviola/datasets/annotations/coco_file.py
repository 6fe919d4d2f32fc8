"""Read COCO's caption layout: one JSON of `images` (here: videos) and `annotations`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from moviola.core import DatasetError, display_path
from moviola.datasets.annotations.files import read_json_object
from moviola.datasets.annotations.names import without_suffix
from moviola.datasets.annotations.tables import object_rows


@dataclass(frozen=True, slots=True)
class CocoCaptions:
    """Hold what a file says.

    Attributes:
        videos: clip id to the name of its file, in order. A clip is called by its `file_name`
            without suffix, or by its `id` where there is none.
        captions: clip ids and words, in order of the annotations.
    """

    videos: dict[str, str]
    captions: list[tuple[str, str]]


def read_coco(path: Path) -> CocoCaptions:
    """Read the captions of one file.

    The list of videos may be called `images`, as COCO has it, or `videos`, and what points into
    it `image_id` or `video_id`.

    Raises:
        DatasetError: naming the entry that is not as it should be, an id that comes twice, or a
            caption of something that is not in the list.
    """
    value = read_json_object(path)
    shown = display_path(path)
    key = "images" if "images" in value else "videos"
    clips: dict[str, str] = {}
    videos: dict[str, str] = {}
    for row in object_rows(value.get(key), f"{shown}, {key}"):
        identity = row.name("id")
        file = row.name("file_name") if "file_name" in row.values else identity
        clip = without_suffix(file)
        if identity in clips or clip in videos:
            raise DatasetError(f"{row.place}: {identity!r} ({clip!r}) comes a second time")
        clips[identity], videos[clip] = clip, file
    captions: list[tuple[str, str]] = []
    seen: set[str] = set()
    for row in object_rows(value.get("annotations"), f"{shown}, annotations"):
        owner = row.name("image_id" if "image_id" in row.values else "video_id")
        if owner not in clips:
            raise DatasetError(f"{row.place}: there is no {owner!r} among the {key}")
        if "id" in row.values:
            identity = row.name("id")
            if identity in seen:
                raise DatasetError(f"{row.place}: the id {identity!r} comes a second time")
            seen.add(identity)
        captions.append((clips[owner], row.text("caption")))
    return CocoCaptions(videos, captions)
