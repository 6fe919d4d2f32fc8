"""Search a library, found by its path, with the encoder that its card names."""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from moviola.core import Encoder, display_path
from moviola.core.moments import Moment
from moviola.core.paths import library_path
from moviola.library import DamageWarning, Library, VideoFilter, has_no_file
from moviola.pipeline.search.aligned_encoder import head_of, load_aligned
from moviola.pipeline.search.pictures import MOST_PIXELS, encode_picture, read_still
from moviola.pipeline.search.text_model import text_encoder_of
from moviola.retrieve.query import WEIGHT, WITHIN, Picture, Query
from moviola.retrieve.search import search as search_library
from moviola.video import DecodePool


def open_library(path: Path | str | None = None) -> Library:
    """Open a library for reading; None opens the one in the user's data folder.

    Raises:
        FileNotFoundError: when there is none, with the command that makes one.
        StoreCorruptError: when it is damaged.
    """
    return Library.open(library_path(None if path is None else Path(path)))


def search(
    text: str = "",
    *,
    library: Library | Path | str | None = None,
    top: int = 10,
    per_video: int | None = 1,
    filters: VideoFilter | None = None,
    then: Sequence[str] = (),
    within: float = WITHIN,
    picture: Path | str | None = None,
    weight: float = WEIGHT,
    like: str | None = None,
    own: bool = False,
    fold: bool = True,
    channels: Collection[str] | None = None,
) -> list[Moment]:
    """Find the moments that a sentence, a picture or both describe, the best first.

    The sentence is asked of pictures, and of what is said, written and named; `why` of a moment
    says what it was found by.

    The command line and the search page give the same moments and scores on the same query.

    Args:
        text: what happens in the moment; `-words` and `-"two words"` in it are not wanted,
            `"two words"` stand beside each other, `wor*` may go on, and `said:word`,
            `written:"two words"` and `name:word` stand in that channel.
        library: an open library, or its folder; None means the one in the user's data folder.
        top: at most this many moments.
        per_video: at most this many of one video; None for no limit.
        filters: which videos to search.
        then: what happens afterwards, in order.
        within: seconds from the start of one step to the start of the next, at most.
        picture: a picture file that the moment looks like; decoded in a worker process.
        weight: the picture's share where there is a text too, in [0, 1].
        like: id of a clip, the `clip` of a moment, that the moment looks like.
        own: whether moments of that clip's own video are found too.
        fold: whether near-duplicates are shown as one, which names the others in `duplicates`.
        channels: where to look: `seen`, `said`, `written`, `named`, or names of channels; None
            for everywhere.

    Warns:
        DamageWarning: when videos of the library are damaged, and were left out.

    Raises:
        ValueError: when nothing is asked, the text is too long, or there is no clip `like`.
        FileNotFoundError: when there is no library.
        SpaceMismatchError: when the model that is installed is not the one that indexed it.
        VideoUnreadableError: when the picture cannot be read.
    """
    opened = library if isinstance(library, Library) else open_library(library)
    pictures = [] if picture is None else [_read_picture(Path(picture), opened)]
    query = Query.parse(
        text,
        then=then,
        within=within,
        pictures=pictures,
        like=like,
        own=own,
        weight=weight,
        filters=filters,
        channels=channels,
        known=tuple(opened.channel_names),
    )
    asks_model = query.is_seen and opened.card.has_vectors
    encoder = _encoder_of(opened) if asks_model else None
    moments = search_library(
        query,
        opened,
        encoder,
        text_encoder=text_encoder_of(opened) if query.is_read else None,
        top=top,
        per_video=per_video,
        fold=fold,
    )
    if opened.damage:
        warnings.warn(tell_damage(opened), DamageWarning, stacklevel=2)
    return [_look_for_file(moment, opened) for moment in moments]


def tell_damage(library: Library) -> str:
    """Say in one sentence which videos of a library are damaged, and what mends them."""
    files = sorted({display_path(p.path) for p in library.damage if p.path is not None})
    named = ", ".join(files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
    shown = display_path(library.path)
    return (
        f"the library {shown} is damaged, so these were left out: {named or 'unknown videos'}; "
        f"mend it with: moviola repair {shown}"
    )


def _look_for_file(moment: Moment, library: Library) -> Moment:
    """Mark a moment whose file is gone since the last index run."""
    record = library.record(moment.video)
    if moment.missing or record is None or not has_no_file(record):
        return moment
    return replace(moment, missing=True)


def _read_picture(path: Path, library: Library) -> Picture:
    """Read a picture file in a worker process, and encode it."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no picture {display_path(path)}; check its path")
    encoder = _encoder_of(library)
    with DecodePool(1) as pool:
        frames = read_still(pool, path, library, encoder.sampler, most_pixels=MOST_PIXELS)
    return encode_picture(frames, library, encoder)


def _encoder_of(library: Library) -> Encoder:
    """Load the encoder that indexed `library`, or take the one that was loaded before."""
    # `module:attribute` names depend on the folder they are loaded from.
    return _encoder(library.card.model, head_of(library.path), os.getcwd())  # noqa: PTH109 -- compared, not used


@lru_cache(maxsize=4)
def _encoder(name: str, head: Path | None, _here: str) -> Encoder:
    """Load an encoder with its head, and keep it for the next search."""
    return load_aligned(name, head)
