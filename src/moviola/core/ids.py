"""Ids that follow from what they name, so that doing the work twice makes nothing twice."""

from __future__ import annotations

import hashlib

from moviola.core.spans import Span


def clip_id(content_id: str, span: Span) -> str:
    """The id of a span of a file's content: 32 hexadecimal digits.

    Spans that agree to the microsecond are the same clip. The space of its vectors is not part of
    the id: a library holds one space, and a new head re-vectors the same clips.
    """
    start, end = round(span.start * 1e6), round(span.end * 1e6)
    key = f"{content_id}:{start}:{end}".encode()
    return hashlib.blake2b(key, digest_size=16).hexdigest()
