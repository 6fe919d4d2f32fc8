"""Read every picture of a video, small, for what only wants to see where pictures change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def small_pictures(
    path: Path, resize: Callable[[int, int], tuple[int, int]]
) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """Read every frame with its time in seconds, as `(H, W, 3)` uint8. Runs in the worker.

    Args:
        path: the video.
        resize: width and height of the video, upright, to those of the pictures.

    Raises:
        VideoUnreadableError: when the video cannot be decoded.
    """
    from moviola.video.decode.opening import open_container
    from moviola.video.decode.pixels.painting import Painter
    from moviola.video.decode.probing import survey
    from moviola.video.decode.reading import frames_of
    from moviola.video.decode.streams import Damage
    from moviola.video.limits import IN_FORCE, Limits

    limits = IN_FORCE.get(Limits())
    found = survey(path, limits, opened=open_container(path, limits))
    if found.turn.transpose:  # painted as it is coded, and turned then
        height, width = resize(found.height, found.width)
    else:
        width, height = resize(found.width, found.height)
    painter = Painter(width, height, found.turn, usual=found.usual)
    with closing(frames_of(path, found, limits, Damage())) as frames:
        for time, frame in frames:
            yield time, painter.paint(frame)
