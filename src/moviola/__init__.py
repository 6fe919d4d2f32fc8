"""Moviola finds the moment in a video that a sentence describes.

Three lines are enough:

    import moviola

    for moment in moviola.search("a dog on a skateboard", library="videos.library"):
        print(moment.path, moment.start, moment.end, moment.band)

The names below load their rooms on first use, so that `import moviola` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from moviola.core.moments import Moment
    from moviola.core.version import __version__
    from moviola.library import Library
    from moviola.pipeline.index.index import index
    from moviola.pipeline.passages.transcript import passages
    from moviola.pipeline.search.search import open_library, search
    from moviola.plugins import load_encoder, load_scorer

_HOMES = {
    "Library": "moviola.library",
    "Moment": "moviola.core.moments",
    "__version__": "moviola.core.version",
    "index": "moviola.pipeline.index.index",
    "load_encoder": "moviola.plugins",
    "load_scorer": "moviola.plugins",
    "open_library": "moviola.pipeline.search.search",
    "passages": "moviola.pipeline.passages.transcript",
    "search": "moviola.pipeline.search.search",
}

__all__ = [
    "Library",
    "Moment",
    "__version__",
    "index",
    "load_encoder",
    "load_scorer",
    "open_library",
    "passages",
    "search",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'moviola' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
