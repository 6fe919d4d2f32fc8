"""Paint decoded pictures as upright 8-bit RGB. Runs in the worker."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Self, cast

import numpy as np
from av.sidedata.sidedata import Type
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from moviola.video.decode.pixels.colour import needs_conversion, to_standard

if TYPE_CHECKING:
    from av.sidedata.sidedata import SideDataContainer
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

_UNSPECIFIED_MATRIX = 2
_HD_HEIGHT = 720
_FULL_RANGE, _LIMITED_RANGE = ColorRange.JPEG, ColorRange.MPEG


@dataclass(frozen=True, slots=True)
class Turn:
    """Turn a picture in one of the eight ways it can lie: transposed first, then mirrored."""

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @classmethod
    def of(cls, frame: VideoFrame) -> Self:
        """Find the turn that the display matrix of `frame` asks for; none without a matrix."""
        # Row vectors: (x, y) goes to (a x + c y, b x + d y). Angles between the right ones, which
        # players round too, count as the nearest.
        a, b, c, d = _display_matrix(frame)
        if abs(a) + abs(d) >= abs(b) + abs(c):
            return cls(transpose=False, flip_x=a < 0, flip_y=d < 0)
        return cls(transpose=True, flip_x=c < 0, flip_y=b < 0)

    def apply(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Turn `pixels (H, W, 3)` upright, contiguous."""
        if self.transpose:
            pixels = pixels.transpose(1, 0, 2)
        if self.flip_x:
            pixels = pixels[:, ::-1]
        if self.flip_y:
            pixels = pixels[::-1]
        return np.ascontiguousarray(pixels)


def square_size(width: int, height: int, aspect: Fraction | None) -> tuple[int, int]:
    """Compute width and height with square pixels: the shorter side grows, nothing is lost.

    An aspect that changes the picture by less than two pixels is rounding, and one beyond 1:8 is
    a mistake of the file; both are ignored.
    """
    if not aspect or not 1 / 8 <= aspect <= 8:
        return width, height
    if aspect > 1:
        wide = round(width * aspect)
        return (wide, height) if wide - width >= 2 else (width, height)
    high = round(height / aspect)
    return (width, high) if high - height >= 2 else (width, height)


def reduced_size(width: int, height: int, at_most: int) -> tuple[int, int]:
    """Reduce a size to at most about `at_most` pixels of the same shape."""
    if width * height <= at_most:
        return width, height
    scale = math.sqrt(at_most / (width * height))
    return max(1, math.floor(width * scale)), max(1, math.floor(height * scale))


@dataclass(frozen=True, slots=True)
class Coded:
    """The shape of a frame as it is coded.

    Attributes:
        width: in pixels, before they are made square.
        height: the same for the height.
        aspect: width of a pixel by its height, 1 where the frame was not told it.
    """

    width: int
    height: int
    aspect: Fraction = Fraction(1)

    @classmethod
    def of(cls, frame: VideoFrame) -> Self:
        """Take the shape of `frame`; a wild aspect is a mistake of the file."""
        aspect = frame.opaque
        if not isinstance(aspect, Fraction) or not 1 / 8 <= aspect <= 8:
            aspect = Fraction(1)
        return cls(frame.width, frame.height, aspect)


class Painter:
    """Make RGB arrays of one size out of the frames of one video.

    Rules: the matrix is the stream's, else BT.709 from 720 lines up and BT.601 below; limited range
    is stretched to full; alpha is dropped; deeper samples are rounded to 8 bits; HDR (PQ, HLG) and
    wide primaries are converted to a standard display; fields of interlaced video stay woven
    together. Where the size changes within a video, pictures of another shape get black bars.
    """

    def __init__(self, width: int, height: int, turn: Turn, *, usual: Coded | None = None) -> None:
        """Prepare to paint `width` x `height`, turned afterwards.

        `usual` is the coded shape of the frames that fill it; None for that of the first one.
        """
        self._size = (width, height)
        self._turn = turn
        self._usual = usual
        self._reformatter = VideoReformatter()

    def paint(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """Paint `frame` as `(H, W, 3)` uint8, upright, contiguous."""
        if self._usual is None:
            self._usual = Coded.of(frame)
        width, height = self._fitting(frame, self._usual)
        pixels = self._reformatted(frame, width, height)
        if (width, height) != self._size:
            pixels = _framed(pixels, *self._size)
        return self._turn.apply(pixels)

    def _fitting(self, frame: VideoFrame, usual: Coded) -> tuple[int, int]:
        """Fit a frame into the picture, its pixels as wide as they are beside those of `usual`."""
        width, height = self._size
        now = Coded.of(frame)
        if now == usual:
            return width, height
        wider = float(now.aspect / usual.aspect)
        across = wider * now.width * width / usual.width
        down = now.height * height / usual.height
        scale = min(width / across, height / down)
        return max(1, round(across * scale)), max(1, round(down * scale))

    def _reformatted(self, frame: VideoFrame, width: int, height: int) -> NDArray[np.uint8]:
        converts = needs_conversion(frame)
        smaller = width * height < frame.width * frame.height
        rgb = self._reformatter.reformat(
            frame,
            width=width,
            height=height,
            format="rgb48le" if converts else "rgb24",
            src_colorspace=_matrix(frame),
            src_color_range=_range(frame),
            dst_color_range=_FULL_RANGE,
            interpolation=Interpolation.AREA if smaller else Interpolation.BILINEAR,
            threads=1,
        )
        if converts:
            return to_standard(cast("NDArray[np.uint16]", rgb.to_ndarray()), frame)
        return cast("NDArray[np.uint8]", rgb.to_ndarray())


def _framed(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Put `pixels` into the middle of a black picture `(height, width, 3)`."""
    whole = np.zeros((height, width, 3), np.uint8)
    top, left = (height - pixels.shape[0]) // 2, (width - pixels.shape[1]) // 2
    whole[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return whole


def _matrix(frame: VideoFrame) -> int | None:
    if frame.format.is_rgb or frame.colorspace != _UNSPECIFIED_MATRIX:
        return None
    return Colorspace.ITU709 if frame.height >= _HD_HEIGHT else Colorspace.ITU601


def _range(frame: VideoFrame) -> int | None:
    if frame.format.is_rgb:
        return _FULL_RANGE
    if frame.color_range in (_FULL_RANGE, _LIMITED_RANGE):
        return frame.color_range
    return None


def _display_matrix(frame: VideoFrame) -> tuple[float, float, float, float]:
    try:
        data = cast("SideDataContainer", frame.side_data).get(cast("str", Type.DISPLAYMATRIX))
    except ValueError:
        # PyAV does not list side data of a kind it has no name for; the angle it still knows.
        angle = -math.radians(frame.rotation)
        return math.cos(angle), math.sin(angle), -math.sin(angle), math.cos(angle)
    if data is None or data.buffer_size < 36:
        return 1.0, 0.0, 0.0, 1.0
    a, b, _, c, d, *_ = np.frombuffer(bytes(data), dtype=np.int32, count=9).tolist()
    return a, b, c, d
