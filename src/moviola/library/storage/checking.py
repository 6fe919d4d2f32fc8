"""Check what is to be stored: vectors that belong to their clips and can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import Clip, clip_id, display_path
from moviola.library.records import VideoRecord
from moviola.library.storage.card import LibraryCard

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moviola.core.spaces import Metric

# Encoders that normalise in float32 are within 1e-6; whoever normalised in half precision is not.
NORM_TOLERANCE = 1e-3


def check_fit(
    record: VideoRecord, clips: Sequence[Clip], vectors: NDArray[np.floating], dimension: int
) -> None:
    """Refuse what only a mistake in the calling code explains.

    Raises:
        ValueError: no clips, two clips of one span, ids that are not `clip_id` of the content and
            the span, or vectors that are not `(len(clips), dimension)`.
    """
    name, wanted = display_path(record.path), (len(clips), dimension)
    if not clips or vectors.shape != wanted:
        raise ValueError(
            f"{name}: {len(clips)} clips in this library need vectors of shape {wanted}, got "
            f"{vectors.shape}; a video has at least one clip"
        )
    ids = [clip.id for clip in clips]
    if ids != [clip_id(record.id, clip.span) for clip in clips]:
        raise ValueError(
            f"{name}: the ids of its clips do not follow from its content id and their spans; make "
            "them with clip_id()"
        )
    if len(set(ids)) != len(ids):
        raise ValueError(f"{name}: two clips have the same span")


def check_rows(
    record: VideoRecord,
    clips: Sequence[Clip],
    rows: Sequence[NDArray[np.floating]],
    card: LibraryCard,
) -> None:
    """Refuse rows of clips that a library has no place for, or that it lacks.

    Raises:
        ValueError: when there is not one `(n, D)` array a clip, n at least 1, in a library that
            keeps rows; or there are some in one that does not.
    """
    name, dimension = display_path(record.path), card.space.dimension
    if len(rows) != (len(clips) if card.rows else 0):
        raise ValueError(f"{name}: {len(clips)} clips came with rows of {len(rows)} of them")
    for own in rows:
        if own.ndim != 2 or not len(own) or own.shape[1] != dimension:
            raise ValueError(f"{name}: rows of a clip must be (n, {dimension}), got {own.shape}")


def find_fault(vectors: NDArray[np.floating], metric: Metric) -> str:
    """Find what is wrong with an encoder's vectors `(n, D)`, in words; `""` where all is well.

    They must be finite, and of unit length within 1e-3 where the metric is cosine.
    """
    if not np.isfinite(vectors).all():
        return "are not finite"
    if metric == "cosine":
        norms = np.linalg.norm(vectors.astype(np.float32), axis=1)
        worst = norms[np.abs(norms - 1).argmax()]
        if abs(worst - 1) > NORM_TOLERANCE:
            return f"are not of unit length (one has length {worst:.4g})"
    return ""
