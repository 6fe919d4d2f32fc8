"""Compare names of videos whatever their Unicode form, slash, blanks and case of a suffix."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from moviola.core import Clip, display_path
from moviola.core.videos import VIDEO_SUFFIXES

_SLASHES = re.compile(r"[/\\]+")
_CUT = re.compile(r"@\d+\.\d{3}-\d+\.\d{3}$")


def spelled_alike(name: str) -> str:
    """Write a name in the one spelling in which equal names are equal.

    Composed Unicode (file systems of macOS decompose), single slashes (Windows writes the other
    ones, twice where they were escaped), no blanks at either end, nor `./` before it, and a video's
    suffix in small letters.
    """
    plain = _SLASHES.sub("/", unicodedata.normalize("NFC", name).strip())
    while plain.startswith("./"):
        plain = plain[2:].lstrip("/")
    path = PurePosixPath(plain)
    if path.suffix.lower() in VIDEO_SUFFIXES:
        return f"{plain.removesuffix(path.suffix)}{path.suffix.lower()}"
    return plain


def without_suffix(name: str) -> str:
    """Cut the suffix of a video off its name or path, and spell the rest as `spelled_alike`."""
    plain = spelled_alike(name)
    suffix = PurePosixPath(plain).suffix
    return plain.removesuffix(suffix) if suffix in VIDEO_SUFFIXES else plain


def video_of(clip: str) -> str:
    """Name the video of a clip's id: without `@START-END`, which `Source.clip` appends."""
    return _CUT.sub("", clip)


class NameIndex:
    """Find ids by a name: exactly, or else spelled alike.

    Args:
        ids: the ids that there are.
    """

    def __init__(self, ids: Iterable[str]) -> None:
        self._ids = set(ids)
        self._alike: dict[str, list[str]] = defaultdict(list)
        for each in sorted(self._ids):
            self._alike[spelled_alike(each)].append(each)

    def find(self, name: str) -> str | None:
        """Find the id that `name` means, or None where there is none.

        Raises:
            ValueError: when several ids are spelled alike and none of them is `name`.
        """
        if name in self._ids:
            return name
        found = self._alike.get(spelled_alike(name), [])
        if len(found) > 1:
            raise ValueError(
                f"{name!r} may mean {found[0]!a} or {found[1]!a}, which read alike; rename one"
            )
        return found[0] if found else None


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
