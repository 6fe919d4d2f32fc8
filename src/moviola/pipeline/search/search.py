"""A sentence to moments."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from moviola.core import Encoder
from moviola.core.moments import Moment
from moviola.core.paths import library_path
from moviola.library import Library, VideoFilter
from moviola.pipeline.search.aligned_encoder import head_of, load_aligned
from moviola.retrieve.query import LONGEST_QUERY
from moviola.retrieve.search import search_vector


def open_library(path: Path | str | None = None) -> Library:
    """Open a library for reading; None opens the one in the user's data folder.

    Raises:
        FileNotFoundError: when there is none, with the command that makes one.
        StoreCorruptError: when it is damaged.
    """
    return Library.open(library_path(None if path is None else Path(path)))


@lru_cache(maxsize=4)
def _encoder(name: str, head: Path | None, _here: str) -> Encoder:
    return load_aligned(name, head)


def search(
    text: str,
    *,
    library: Library | Path | str | None = None,
    top: int = 10,
    per_video: int | None = None,
    filters: VideoFilter | None = None,
) -> list[Moment]:
    """The moments that `text` describes, the best first.

    Args:
        text: what happens in the moment.
        library: an open library, or its folder; None means the one in the user's data folder.
        top: at most this many moments.
        per_video: at most this many of one video; None for no limit.
        filters: which videos to search.

    Raises:
        ValueError: when the text is empty or too long.
        FileNotFoundError: when there is no library.
        SpaceMismatchError: when the model that is installed is not the one that indexed it.
    """
    if not text.strip():
        raise ValueError("the query is empty; say what happens in the moment you look for")
    if len(text) > LONGEST_QUERY:
        raise ValueError(f"the query has {len(text)} characters, at most {LONGEST_QUERY} are taken")
    opened = library if isinstance(library, Library) else open_library(library)
    # `module:attribute` names depend on the folder they are loaded from.
    encoder = _encoder(opened.card.model, head_of(opened.path), os.getcwd())  # noqa: PTH109 -- compared, not used
    (vectors,) = encoder.encode_texts([text])
    return search_vector(
        opened,
        vectors,
        encoder.space,
        encoder.text_readout,
        top=top,
        per_video=per_video,
        filters=filters,
    )
