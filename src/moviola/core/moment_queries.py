"""Hold queries whose true moments are known, and moments that were found for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class FoundMoment(NamedTuple):
    """Hold a moment that was found, as a file may tell it: its seconds are not checked.

    Attributes:
        video: id of the video.
        start: seconds.
        end: seconds.
        score: larger is better; the order of a list is its ranking all the same.
    """

    video: str
    start: float
    end: float
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class MomentQuery:
    """Hold a query, and where in which video it is answered.

    Attributes:
        id: of the query.
        text: its words, `""` where only ids are known.
        video: id of the one video that holds the answer.
        spans: `(start, end)` in seconds, one for every true moment or annotator, at least one.
        agreeing: how many of the spans a moment must overlap to be right.
        kind: kind of the query, such as TVR's `v`, `t` and `vt`; `""` where there are none.

    Raises:
        ValueError: when there is no span, or fewer than must agree.
    """

    id: str
    text: str
    video: str
    spans: tuple[tuple[float, float], ...]
    agreeing: int = 1
    kind: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.agreeing <= len(self.spans):
            raise ValueError(
                f"query {self.id!r} has {len(self.spans)} true moments, of which {self.agreeing} "
                f"must be met"
            )
