"""Cut a video where its shots change, by PySceneDetect's detectors on our own decoding."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Self

import numpy as np

from moviola.core import MissingExtraError, Span, VideoInfo
from moviola.video.small_pictures import small_pictures

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
                'pip install "moviola[shots]"'
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
        for time, picture in small_pictures(path, _reduced):
            tick = round(time * _CLOCK)
            if tick in exact:
                continue
            exact[tick] = time
            moment = FrameTimecode(tick, fps=_CLOCK)
            bgr = np.ascontiguousarray(picture[:, :, ::-1])  # the order of OpenCV
            cuts += [cut.frame_num for cut in detector.process_frame(moment, bgr)]
        cuts += [cut.frame_num for cut in detector.post_process(moment)]
        return sorted({exact[cut] for cut in cuts if exact.get(cut, 0.0) > 0})


def _reduced(width: int, height: int) -> tuple[int, int]:
    from moviola.video.decode.pixels.painting import reduced_size

    return reduced_size(width, height, _PIXELS)
