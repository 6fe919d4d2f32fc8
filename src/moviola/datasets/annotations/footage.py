"""List the video files that there are, and find the one that an annotation means."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from moviola.core import DatasetError, Span, display_path
from moviola.core.videos import VIDEO_SUFFIXES
from moviola.datasets.annotations.names import spelled_alike

#: The clip of a whole video whose length the annotations do not tell; readers clamp it.
WHOLE_VIDEO = Span(0.0, 1e6)


@dataclass(frozen=True, slots=True)
class Source:
    """Point to a clip: a video as the annotations call it, and the span in seconds."""

    video: str
    span: Span = WHOLE_VIDEO

    @property
    def clip(self) -> str:
        """Name the clip: the video's id, with `@START-END` behind it where it was cut."""
        whole = self.span == WHOLE_VIDEO
        return self.video if whole else f"{self.video}@{self.span.start:.3f}-{self.span.end:.3f}"


class Footage:
    """Find the video files under a folder by path or by name, with or without suffix.

    Hidden files and folders are passed over, and links to folders are not followed.

    Attributes:
        root: the folder.
        paths: the video files below it, sorted.

    Raises:
        DatasetError: when there is no such folder.
    """

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise DatasetError(f"{display_path(root)} is not a folder")
        self.root = root
        self.paths = sorted(_walk(root))
        self._named: dict[str, list[Path]] = defaultdict(list)
        self._alike: dict[str, list[Path]] = defaultdict(list)
        for path in self.paths:
            relative = path.relative_to(root)
            names = (relative.as_posix(), relative.with_suffix("").as_posix(), path.name, path.stem)
            for name in dict.fromkeys(names):
                self._named[name].append(path)
            for name in dict.fromkeys(spelled_alike(display_path(name)) for name in names):
                self._alike[name].append(path)

    def find(self, name: str) -> Path | None:
        """Find the file that `name` means, or None where there is none.

        A name is a path below the folder or a file's name, each with or without suffix. Where none
        is spelled just so, the one that `spelled_alike` calls equal is meant.

        Raises:
            DatasetError: when several files are called so.
        """
        found = self._named.get(name) or self._alike.get(spelled_alike(name), [])
        if len(found) > 1:
            both = " and ".join(display_path(path) for path in found[:2])
            raise DatasetError(
                f"{name!r} may mean {both}; name it by its path below {display_path(self.root)}"
            )
        return found[0] if found else None

    def expected(self, name: str) -> Path:
        """Tell where the file of a video that is not there would be; never outside the folder."""
        path = Path(spelled_alike(name))
        parts = (part for part in path.parts if part not in ("..", path.anchor))
        return self.root.joinpath(*parts)

    def name_of(self, path: Path) -> str:
        """Name a file by its path below the folder without suffix, as text that can be shown."""
        return display_path(path.relative_to(self.root).with_suffix("").as_posix())


def _walk(root: Path) -> list[Path]:
    found: list[Path] = []
    for folder, inside, names in os.walk(root):
        inside[:] = [name for name in inside if not name.startswith(".")]
        found += [
            Path(folder, name)
            for name in names
            if not name.startswith(".") and Path(name).suffix.lower() in VIDEO_SUFFIXES
        ]
    return found
