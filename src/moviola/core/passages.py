"""Hold text with times: what is said, written and named in a video."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

from moviola.core.spans import Span


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a passage with its own time, where a channel knows it.

    Attributes:
        text: the word as it stands in the passage.
        span: when it is said, seconds.
    """

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Box:
    """The rectangle of a picture in which a passage is written, as shares of width and height.

    Raises:
        ValueError: when a side is not in [0, 1], or the rectangle has no area.
    """

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        sides = (self.left, self.top, self.right, self.bottom)
        if not all(math.isfinite(side) and 0 <= side <= 1 for side in sides):
            raise ValueError(f"the sides of a box are shares in [0, 1], got {sides}")
        if self.right <= self.left or self.bottom <= self.top:
            raise ValueError(f"a box ends to the right of and below where it begins, got {sides}")


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a video that carries text.

    Attributes:
        video: the video's id in a library; `""` until a library takes the passage in.
        span: when it is shown or said, seconds from the video's first moment.
        text: its words, in Unicode's composed form (NFC), never empty.
        channel: the name of the channel that found it, such as `subtitles` or `writing`.
        language: BCP 47 tag, such as `en` or `pt-BR`; None where it is not known.
        confidence: of the recognition, in [0, 1]; None for text that nobody had to recognise.
        words: its words with their own times, in order; none where they are not known.
        box: where in the picture it stands; None for what is not written in it.

    Raises:
        ValueError: when there is no text, or the confidence is not in [0, 1].
    """

    video: str
    span: Span
    text: str
    channel: str
    language: str | None = None
    confidence: float | None = None
    words: tuple[Word, ...] = ()
    box: Box | None = None

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise ValueError("a passage has text")
        if self.confidence is not None and not 0 <= self.confidence <= 1:
            raise ValueError(f"a confidence is in [0, 1], got {self.confidence}")


def passage_id(passage: Passage) -> str:
    """Return the id of a passage: 32 hexadecimal digits of its video, channel, span and text.

    Spans that agree to the microsecond are the same, as with `clip_id`.
    """
    start, end = round(passage.span.start * 1e6), round(passage.span.end * 1e6)
    key = f"{passage.video}:{passage.channel}:{start}:{end}:{passage.text}"
    return hashlib.blake2b(key.encode(errors="surrogatepass"), digest_size=16).hexdigest()
