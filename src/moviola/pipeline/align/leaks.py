"""Remember the videos that a head was fitted on, and notice them where it is measured."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from moviola.core import Clip, Embeddings
from moviola.datasets.annotations.names import video_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]

#: Where the record of a fit keeps it.
_KEY = "seen"


def remember_videos(clips: Embeddings[Clip], rows: Counts, *, has_ids: bool) -> dict[str, str]:
    """Describe the clips that a head is fitted on, by hashes of their names and their numbers.

    Args:
        clips: M clips.
        rows: which of them have captions.
        has_ids: whether their ids name them; rows of bare arrays are known by numbers alone.

    Returns:
        `rows`, and `ids` where there are some: sorted 8-byte hashes in base64. Names themselves
        stay at home: heads are published.
    """
    numbers = _packed(_digest(_bytes_of(clips, int(row))) for row in rows)
    if not has_ids:
        return {"rows": numbers}
    names = (_digest(video_of(clips.items[int(row)].id).encode()) for row in rows)
    return {"ids": _packed(names), "rows": numbers}


def leak_notes(
    record: Mapping[str, Any], clips: Embeddings[Clip], *, has_ids: bool
) -> tuple[str, ...]:
    """Say how many clips of a test a head was fitted on; empty where none, or nothing is known.

    Args:
        record: of the fit, as a head carries it.
        clips: the gallery of the test, before the head maps it.
        has_ids: whether ids name its clips.
    """
    seen: object = record.get(_KEY)
    if not isinstance(seen, dict):
        return ()
    ids, numbers = (_unpacked(seen.get(key)) for key in ("ids", "rows"))  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType, reportUnknownArgumentType]
    known = sum(
        _digest(_bytes_of(clips, row)) in numbers
        or (has_ids and _digest(video_of(clip.id).encode()) in ids)
        for row, clip in enumerate(clips.items)
    )
    if not known:
        return ()
    said = f"the head was fitted on {known:,} of these {len(clips):,} videos"
    return (f"{said}: this is no test of what it makes of others",)


def _bytes_of(clips: Embeddings[Clip], row: int) -> bytes:
    return np.ascontiguousarray(clips.rows(row), np.float32).tobytes()


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=8).digest()


def _packed(digests: Iterable[bytes]) -> str:
    return base64.b64encode(b"".join(sorted(set(digests)))).decode()


def _unpacked(packed: object) -> frozenset[bytes]:
    try:
        joined = base64.b64decode(packed if isinstance(packed, str) else "", validate=True)
    except binascii.Error:
        return frozenset()  # a card that somebody wrote by hand knows nothing
    return frozenset(joined[first : first + 8] for first in range(0, len(joined), 8))
