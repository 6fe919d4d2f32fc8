"""Find the clip that a name means, by its id or by the file that it was cut from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from moviola.core import Clip, display_path
from moviola.datasets.annotations.footage import video_of
from moviola.datasets.annotations.names import NameIndex, spelled_alike, without_suffix


class ClipNames:
    """Find clips by name: exactly, spelled alike, or by the path of their file.

    Args:
        clips: the clips that there are.
    """

    def __init__(self, clips: Sequence[Clip]) -> None:
        self._ids = NameIndex(clip.id for clip in clips)
        self._files: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for clip in clips:
            if clip.path != Path():
                file = without_suffix(display_path(clip.path.as_posix()))
                place = f"/{file}{_cut(clip.id)}"
                self._files[place.rpartition("/")[2]].append((place, clip.id))

    def find(self, name: str) -> str | None:
        """Find the id of the clip that `name` means, or None where there is none.

        A table may call a video by a path and `moviola encode` by its file's name, or the other
        way round: a clip is also found by the end of its file's path.

        Raises:
            ValueError: when the name fits several clips.
        """
        found = self._ids.find(name)
        if found is not None:
            return found
        end = f"/{without_suffix(video_of(name))}{_cut(name)}"
        fits = [
            clip
            for place, clip in self._files.get(end.rpartition("/")[2], ())
            if place.endswith(end)
        ]
        if len(fits) > 1:
            raise ValueError(
                f"{name!r} may mean the clip {fits[0]!r} or {fits[1]!r}; name it by its path"
            )
        return fits[0] if fits else None


def _cut(clip: str) -> str:
    """Keep what of a clip's id tells its span: `@START-END`, or nothing."""
    return spelled_alike(clip)[len(video_of(spelled_alike(clip))) :]
