"""Cut a video where its shots change, by PySceneDetect's detectors on our own decoding."""

from __future__ import annotations

import itertools
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from moviola.core import MissingExtraError, Span, VideoInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_USUAL_RATIO = 3.0
_SHORTEST_SHOT = 0.6
# Cuts show in small pictures too, and those are quick to compare.
_PIXELS = 256 * 144
# The detectors count in frames; one a millisecond makes their count a clock.
_CLOCK = 1000.0


@dataclass(frozen=True, slots=True)
class ShotSegmenter:
    """Cut one clip a shot by PySceneDetect's adaptive detector (the extra `shots`).

    The detector compares each frame's change with that of its neighbours, so that a moving camera
    is not taken for a cut. The video is decoded once more for it, in the worker and under its
    limits; PySceneDetect's own readers, which know none, are not used.

    Attributes:
        ratio: how much a frame must change beyond its neighbours to begin a shot.

    Raises:
        ValueError: when `ratio` is not positive.
        MissingExtraError: when PySceneDetect is not installed.
    """

    ratio: float = _USUAL_RATIO

    def __post_init__(self) -> None:
        if not 0 < self.ratio < float("inf"):
            raise ValueError(f"a shot detector needs a positive ratio, got {self.ratio}")
        if find_spec("scenedetect") is None or find_spec("cv2") is None:
            raise MissingExtraError(
                "cutting by shots needs PySceneDetect; install it with: "
                'pip install "moviola[shots]" opencv-python-headless'
            )

    @classmethod
    def parse(cls, ratio: str) -> Self:
        """Make the segmenter of `shots` (empty text) or `shots:RATIO`."""
        return cls(float(ratio)) if ratio else cls()

    @property
    def spec(self) -> str:
        """Give the canonical text: `shots`, or `shots:2.5` with another ratio than the usual."""
        return "shots" if self.ratio == _USUAL_RATIO else f"shots:{self.ratio!r}"

    def segment(self, path: Path, info: VideoInfo) -> list[Span]:
        """Find the shots of the video: at least one, ordered, together the whole.

        Raises:
            VideoUnreadableError: when the video cannot be decoded.
        """
        edges = [0.0, *self._cuts(path), info.duration]
        return [Span(a, b) for a, b in itertools.pairwise(edges) if b > a]

    def _cuts(self, path: Path) -> list[float]:
        from scenedetect.common import FrameTimecode
        from scenedetect.detectors import AdaptiveDetector

        detector = AdaptiveDetector(self.ratio, min_scene_len=_SHORTEST_SHOT)
        exact: dict[int, float] = {}
        cuts: list[int] = []
        moment = FrameTimecode(0, fps=_CLOCK)
        for time, picture in _pictures(path):
            tick = round(time * _CLOCK)
            if tick in exact:
                continue
            exact[tick] = time
            moment = FrameTimecode(tick, fps=_CLOCK)
            cuts += [cut.frame_num for cut in detector.process_frame(moment, picture)]
        cuts += [cut.frame_num for cut in detector.post_process(moment)]
        return sorted({exact[cut] for cut in cuts if exact.get(cut, 0.0) > 0})


def _pictures(path: Path) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """Read every frame, small, as `(H, W, 3)` uint8 in the order blue, green, red of OpenCV."""
    from moviola.video.decode.opening import open_container
    from moviola.video.decode.pixels.painting import Painter, reduced_size
    from moviola.video.decode.probing import survey
    from moviola.video.decode.reading import frames_of
    from moviola.video.decode.streams import Damage
    from moviola.video.limits import IN_FORCE, Limits

    limits = IN_FORCE.get(Limits())
    found = survey(path, limits, opened=open_container(path, limits))
    width, height = reduced_size(found.width, found.height, _PIXELS)
    painter = Painter(width, height, found.turn, usual=found.usual)
    with closing(frames_of(path, found, limits, Damage())) as frames:
        for time, frame in frames:
            yield time, np.ascontiguousarray(painter.paint(frame)[:, :, ::-1])
