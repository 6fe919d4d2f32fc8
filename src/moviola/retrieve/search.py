"""Search a library by a vector that its encoder made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moviola.core import Readout, Space
from moviola.core.moments import Moment
from moviola.library import Library, VideoFilter
from moviola.retrieve.ranking import rank_moments

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def search_vector(
    library: Library,
    text_vectors: NDArray[np.floating],
    space: Space,
    readout: Readout,
    *,
    top: int = 10,
    per_video: int | None = 1,
    filters: VideoFilter | None = None,
) -> list[Moment]:
    """Search every clip of a library by one query vector `(1, D)`, exactly.

    Args:
        library: an open library.
        text_vectors: `(1, D)`, the query as the text tower gave it.
        space: the query's space.
        readout: how the text tower was read.
        top: at most this many moments.
        per_video: at most this many of one video; None for no limit.
        filters: which videos to search.

    Returns:
        Moments, best first.

    Raises:
        SpaceMismatchError: when the query belongs to another space or readout.
        ValueError: when it is not one finite row, or has no direction.
        StoreCorruptError: when the tables are damaged.
    """
    library.require(space=space, text_readout=readout)
    query = library.direction(text_vectors)
    snapshot = library.snapshot()
    return rank_moments(
        snapshot,
        snapshot.matrix @ query,
        top=top,
        per_video=per_video,
        calibration=library.card.calibration,
        filters=filters,
    )
