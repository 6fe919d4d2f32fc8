"""Point to what is embedded and retrieved: clips of videos, and texts. Never pixels."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from moviola.core.spans import Span


@dataclass(frozen=True, slots=True)
class Clip:
    """A pointer to a span of a video file.

    `id` names the clip for good; `path` may hold undecodable bytes (as surrogate escapes, see
    `os.fsdecode`), so it must go through `os.fsencode` before it is stored and through
    `display_path` before it is shown.
    """

    id: str
    path: Path
    span: Span


@dataclass(frozen=True, slots=True)
class Text:
    """A caption or a query.

    Attributes:
        id: names it, among texts alone: a caption and a clip may have one and the same id.
        text: its words.
        clip: id of the clip that it describes, as its table calls it; None where that is not known.
    """

    id: str
    text: str
    clip: str | None = None


def clip_id(content_id: str, span: Span) -> str:
    """Return the id of a span of a file's content: 32 hexadecimal digits.

    Spans that agree to the microsecond are the same clip. The space of its vectors is not part of
    the id: a library holds one space, and a new head re-vectors the same clips.
    """
    start, end = round(span.start * 1e6), round(span.end * 1e6)
    key = f"{content_id}:{start}:{end}".encode()
    return hashlib.blake2b(key, digest_size=16).hexdigest()
