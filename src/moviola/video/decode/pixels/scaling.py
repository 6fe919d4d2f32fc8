"""Scale decoded pictures to one size by FFmpeg's own filters, bit for bit. Runs in the worker.

Some models were trained on what decord read: pictures that FFmpeg's `scale` filter stretched to a
square. Any other way of resizing differs from it by a few levels of gray.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, cast

from av.filter.graph import Graph

from moviola.core import PictureSize
from moviola.video.decode.pixels.painting import Turn

if TYPE_CHECKING:
    import numpy as np
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray


class Scaler:
    """Make RGB arrays of `size` out of the frames of one video: upright, stretched, bilinear.

    What is not FFmpeg's default is left out: the aspect of pixels does not count, and HDR
    pictures keep their own tones.
    """

    def __init__(self, size: PictureSize, turn: Turn) -> None:
        self._size = size
        self._turn = turn
        self._graph: Graph | None = None
        self._made_for: tuple[int, int, str] | None = None

    def paint(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """Paint `frame` as `(size.height, size.width, 3)` uint8, upright, contiguous."""
        kind = (frame.width, frame.height, frame.format.name)
        if self._graph is None or kind != self._made_for:
            self._graph, self._made_for = self._build(frame), kind
        self._graph.vpush(frame)
        return cast("NDArray[np.uint8]", self._graph.vpull().to_ndarray())

    def _build(self, frame: VideoFrame) -> Graph:
        graph = Graph()
        graph.threads = 1
        graph.link_nodes(
            graph.add_buffer(
                width=frame.width,
                height=frame.height,
                format=frame.format,
                time_base=Fraction(1),  # nothing here looks at the clock
            ),
            *(graph.add(*words) for words in self._filters()),
            graph.add("buffersink"),
        ).configure()
        return graph

    def _filters(self) -> list[tuple[str, ...]]:
        turn, size = self._turn, self._size
        steps: list[tuple[str, ...]] = []
        if turn.transpose:
            # Turned and flipped at once: rows become columns, nothing else.
            steps.append(("transpose", "cclock_flip"))
        if turn.flip_x:
            steps.append(("hflip",))
        if turn.flip_y:
            steps.append(("vflip",))
        steps.append(("scale", f"{size.width}:{size.height}:flags=bilinear"))
        steps.append(("format", "rgb24"))
        return steps
