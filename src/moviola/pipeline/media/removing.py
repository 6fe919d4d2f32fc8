"""Remove the pictures and previews of videos that a library holds no more."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path

from moviola.library import CACHE
from moviola.pipeline.media.sprites import SpriteCache

# Films of spans are named by a digest of video and span, so nobody can tell whose they are.
_OF_ANY_VIDEO = ("previews", "cuts")


def drop_pictures(library: Path, videos: Collection[str]) -> None:
    """Delete what the cache of a library holds of videos; what others need is made again."""
    if not videos:
        return
    sprites = SpriteCache(library)
    for video in videos:
        sprites.drop(video)
    for folder in _OF_ANY_VIDEO:
        shutil.rmtree(library / CACHE / folder, ignore_errors=True)
