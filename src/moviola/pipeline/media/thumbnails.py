"""Small pictures of clips, as data URIs."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

from moviola.core import Clip, VideoUnreadableError

_WIDTH = 176  # pixels
_QUALITY = 72
#: A clip of a whole video whose length is not known begins here, in seconds.
_EARLY = 1.0
_UNKNOWN_LENGTH = 1e5


def thumbnails(clips: Sequence[Clip]) -> dict[str, str]:
    """Clip id to the picture in its middle; clips without a readable file are left out."""
    found: dict[str, str] = {}
    for clip in clips:
        if clip.path.is_file():
            picture = _picture(clip)
            if picture is not None:
                found[clip.id] = picture
    return found


def _picture(clip: Clip) -> str | None:
    from PIL import Image

    from moviola.video import read_frames_at

    length = clip.span.duration
    moment = clip.span.start + _EARLY if length > _UNKNOWN_LENGTH else clip.span.middle
    try:
        pixels = read_frames_at(clip.path, [moment]).pixels[0]
    except (VideoUnreadableError, OSError):
        return None
    image = Image.fromarray(pixels)
    image.thumbnail((_WIDTH, _WIDTH))
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG", quality=_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
