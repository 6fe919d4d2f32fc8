"""Cut a video into clips: windows, the whole, or spans that are given."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from moviola.core import Segmenter, Span, VideoInfo
from moviola.video.shots import ShotSegmenter
from moviola.video.transnet.segmenter import TransNetSegmenter

_MOST_WINDOWS = 100_000
# A remainder shorter than this share of a step makes no window of its own.
_NEGLIGIBLE = 0.05
_NUMBER = r"\d+\.?\d*|\.\d+"
_FORMS = (
    "windows, windows:LENGTH/STEP (seconds, such as windows:6/3), whole, shots, shots:transnetv2"
)


@dataclass(frozen=True, slots=True)
class WindowSegmenter:
    """Cut spans of `length` seconds every `step` seconds, the last one aligned to the end.

    A video no longer than one window is one clip. A remainder shorter than a twentieth of a step
    makes no window of its own, which would be a copy of the one before: that one is extended.

    Raises:
        ValueError: unless `0 < step <= length`, so that no moment is left out.
    """

    length: float = 6.0
    step: float = 3.0
    #: Windows that show one and the same picture may become one clip: they are equal.
    folds_stills: ClassVar[bool] = True
    #: Long videos may be read in units side by side: where windows lie costs nothing to tell again.
    divides: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not (math.isfinite(self.length) and 0 < self.step <= self.length):
            raise ValueError(
                f"windows need 0 < step <= length, got length {self.length} and step {self.step}"
            )

    @property
    def spec(self) -> str:
        """Give the canonical text, such as `windows:6/3`."""
        return f"windows:{_number(self.length)}/{_number(self.step)}"

    def segment(self, path: Path, info: VideoInfo) -> list[Span]:  # noqa: ARG002 - the protocol
        """Cut windows over `[0, info.duration)`, at least one, ordered by start."""
        room = info.duration - self.length
        if room <= 0:
            return [Span(0.0, info.duration)]
        regular = min(math.floor(room / self.step), _MOST_WINDOWS)
        spans = [Span(k * self.step, k * self.step + self.length) for k in range(regular + 1)]
        if info.duration - spans[-1].end > _NEGLIGIBLE * self.step:
            # Rounded, so that equal lengths do not differ by the last bits of a subtraction.
            spans.append(Span(round(room, 9), info.duration))
        else:
            spans[-1] = Span(spans[-1].start, info.duration)
        return spans


@dataclass(frozen=True, slots=True)
class WholeSegmenter:
    """Take the whole video as one clip."""

    @property
    def spec(self) -> str:
        """Give the canonical text, `whole`."""
        return "whole"

    def segment(self, path: Path, info: VideoInfo) -> list[Span]:  # noqa: ARG002 - the protocol
        """Return one span, `[0, info.duration)`."""
        return [Span(0.0, info.duration)]


@dataclass(frozen=True, slots=True)
class GivenSegmenter:
    """Take spans decided beforehand, as of a data set. What lies past the end is cut off."""

    spans: tuple[Span, ...]
    #: As in `WindowSegmenter`.
    divides: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not self.spans:
            raise ValueError("give at least one span")

    @property
    def spec(self) -> str:
        """Give the canonical text with all the seconds."""
        return "given:" + ",".join(f"{_number(s.start)}-{_number(s.end)}" for s in self.spans)

    def segment(self, path: Path, info: VideoInfo) -> list[Span]:  # noqa: ARG002 - the protocol
        """Return the given spans, in the given order."""
        return list(self.spans)


def parse_segmenter(spec: str) -> Segmenter:
    """Make the segmenter that `spec` describes.

    Raises:
        ValueError: naming the forms, when `spec` is none of them.
        MissingExtraError: for `shots`, when PySceneDetect is not installed, and for
            `shots:transnetv2`, when its weights are not.
    """
    name, _, rest = spec.strip().lower().partition(":")
    if name == "whole" and not rest:
        return WholeSegmenter()
    if name == "windows" and not rest:
        return WindowSegmenter()
    found = re.fullmatch(f"({_NUMBER})/({_NUMBER})", rest)
    if name == "windows" and found:
        return WindowSegmenter(float(found[1]), float(found[2]))
    if name == "shots" and rest == "transnetv2":
        return TransNetSegmenter()
    if name == "shots" and (not rest or re.fullmatch(_NUMBER, rest)):
        return ShotSegmenter.parse(rest)
    raise ValueError(f"unknown segmentation {spec!r}; use one of: {_FORMS}")


def _number(value: float) -> str:
    """Write the shortest text that gives `value` back, without a trailing `.0`."""
    return repr(float(value)).removesuffix(".0")
