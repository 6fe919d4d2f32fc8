"""Name what a search finds: moments, and the stretches of time they consist of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from moviola.core.spans import Span

Band = Literal["strong", "likely", "unsure"]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of one video that answers a query.

    Attributes:
        start: seconds.
        end: seconds.
        peak: the middle of the best window, seconds.
        score: the best window's score.
    """

    start: float
    end: float
    peak: float
    score: float


@dataclass(frozen=True, slots=True)
class MatchedWord:
    """A word of a passage that a query asked for.

    Attributes:
        text: as it stands in the passage.
        first: the place of its first character in the text of the passage.
        last: the place after its last character.
        span: when it is said, where the channel knows that.
    """

    text: str
    first: int
    last: int
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """Evidence for a moment.

    Attributes:
        channel: the channel of the passage that was found, or `seen` for the pictures.
        text: of the passage; `""` for the pictures.
        start: when it begins, seconds.
        end: when it ends, seconds.
        words: what of the text was asked for, in order.
    """

    channel: str
    text: str
    start: float
    end: float
    words: tuple[MatchedWord, ...] = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """A stretch of a video that answers a query.

    Attributes:
        video: the video's id in the library.
        path: where its file is, or was.
        start: seconds.
        end: seconds.
        peak: the best place to look, seconds.
        score: what it is ordered by: the score of the best clip in it, or, where texts took part,
            what all evidence comes to.
        band: what the probability means: `strong` from .9, `likely` from .5, else `unsure`; None
            where there is none.
        probability: of being right, measured on searches with known answers; None where that was
            not measured: for pictures, exclusions, steps, and further moments of a video.
        missing: whether the file was gone when its folder was last indexed.
        clip: id of the best clip in it; `""` where it has none.
        others: how many further moments of the video a limit per video left out.
        steps: of a moment that is one thing after another, its parts in order.
        duplicates: ids of the best clips of near-duplicates in other videos that it stands for.
        why: what it was found by, the strongest first.
    """

    video: str
    path: Path
    start: float
    end: float
    peak: float
    score: float
    band: Band | None = None
    probability: float | None = None
    missing: bool = False
    clip: str = ""
    others: int = 0
    steps: tuple[Stretch, ...] = ()
    duplicates: tuple[str, ...] = ()
    why: tuple[Reason, ...] = ()
