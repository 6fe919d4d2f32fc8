"""Find the videos of a library that names in a file mean."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from moviola.core import display_path
from moviola.datasets.annotations.names import spelled_alike
from moviola.library import Library


def find_videos(names: Iterable[str], library: Library) -> dict[str, str]:
    """Find the ids of the videos that `names` mean; names that mean none are left out.

    A name is a video's id, or the path, the file's name or its stem of any of its files, however
    it is spelled (see `spelled_alike`). Videos without clips are passed over.

    Raises:
        ValueError: when a name fits several videos.
    """
    known: defaultdict[str, set[str]] = defaultdict(set)
    for record in library.videos():
        if not record.clips:
            continue
        known[record.id].add(record.id)
        for name in record.names:
            for spelled in (name.path, name.path.name, name.path.stem):
                known[spelled_alike(display_path(spelled))].add(record.id)
    found: dict[str, str] = {}
    for name in sorted(set(names)):
        whole = display_path(Path(name).expanduser().absolute())
        fitting = known.get(spelled_alike(name)) or known.get(spelled_alike(whole), set())
        if len(fitting) > 1:
            raise ValueError(
                f"the name {name!r} fits {len(fitting)} videos of the library; give its path"
            )
        if fitting:
            found[name] = next(iter(fitting))
    return found
