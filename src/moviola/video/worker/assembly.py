"""Make what was asked for out of the pictures and clips that a worker sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moviola.core import FileCode, Frames
from moviola.video.texts import FileTexts
from moviola.video.worker.messages import ClipNamed, ClipRead, PictureRead, ReadRequest
from moviola.video.worker.process import WorkerDiedError
from moviola.video.worker.replies import ClipPart, FramePart, PicturePart, SoundPart

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from moviola.video.worker.conversation import Part

    Pixels = NDArray[np.uint8]

_UNIT_BITS = 40
"""Bits for the number of a picture inside its unit."""


class Assembly:
    """Reduce the pictures of one request as they come, and put clips together.

    A picture is reduced once and kept only as long as a clip may name it.

    Args:
        request: what is wanted.
        put: takes what was made.
        singly: puts pictures and the clips that name them, in place of clips with frames.
        unit: of the video that is read; numbers of pictures go on from one to the next.
    """

    def __init__(
        self,
        request: ReadRequest,
        put: Callable[[PictureRead | ClipNamed | ClipRead], None],
        *,
        singly: bool,
        unit: int = 0,
    ) -> None:
        self._first = unit << _UNIT_BITS
        self._request = request
        self._put = put
        self._singly = singly
        self._frames: dict[int, Pixels] = {}
        self._small: dict[int, Pixels] = {}
        self.clips = 0

    def take(self, part: Part) -> None:
        """Take what the worker sent next.

        Raises:
            WorkerDiedError: when a clip names pictures that did not come.
        """
        if isinstance(part, FramePart):
            self._take_frame(part)
        elif isinstance(part, PicturePart | SoundPart | FileTexts):
            if self._request.side is not None:
                self._request.side.take(part)
        elif isinstance(part, ClipPart):
            try:
                self._take_clip(part)
            except (KeyError, ValueError) as error:
                raise WorkerDiedError(
                    f"the decoder sent garbage ({error})", FileCode.DECODER_CRASH
                ) from error

    def _take_frame(self, part: FramePart) -> None:
        request, pixels = self._request, part.pixels
        if request.previews is not None:
            self._small[part.number] = _reduced(pixels, request.previews.longest)
        if request.shrink is not None:
            pixels = request.shrink(pixels[None])[0]
        if self._singly:
            self._put(PictureRead(request.key, self._first + part.number, pixels))
        else:
            self._frames[part.number] = pixels

    def _take_clip(self, part: ClipPart) -> None:
        request, numbers = self._request, part.pictures
        if request.previews is not None:
            small = np.stack([self._small[number] for number in numbers])
            request.previews.take(part.span, Frames(small, part.times))
        if self._singly:
            named = tuple(self._first + number for number in numbers)
            self._put(ClipNamed(request.key, part.index, part.span, named))
        else:
            pixels = np.stack([self._frames[number] for number in numbers])
            frames = Frames(pixels, part.times, part.sound)
            self._put(ClipRead(request.key, part.index, part.span, frames))
        self.clips += 1
        for kept in (self._frames, self._small):
            for number in [number for number in kept if number < part.oldest]:
                del kept[number]


def _reduced(pixels: Pixels, longest: int) -> Pixels:
    """Reduce a picture `(H, W, 3)` to `longest` pixels on its longer side, if it is larger."""
    from PIL import Image

    picture = Image.fromarray(pixels)
    picture.thumbnail((longest, longest), reducing_gap=2.0)
    return np.asarray(picture)
