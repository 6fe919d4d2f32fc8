"""What can be asked of a library beyond a sentence, and what its clips score on it.

A query is a sentence, a picture or both; things that are not wanted; and things that happen
after it. Everything becomes rows that are multiplied with the vectors of the library at once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moviola.library import Moment, Snapshot, VideoFilter

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Longest query in characters. Longer ones are a mistake, and cost an encoder minutes.
LONGEST_QUERY = 10_000
#: Words and phrases that are not wanted, and steps after the first, at most.
MOST_TERMS = 16
#: Seconds from the start of one step to the start of the next, unless told otherwise.
WITHIN = 30.0

# A hyphen after white space or at the start, before a letter or a quote: neither "x-ray" nor "-5".
_NEGATIVE = re.compile(r'(?:^|(?<=\s))-(?:"([^"]+)"|([^\W\d_][^\s"]*))')


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Attributes:
        text: what happens in the moment; `""` where a picture asks alone.
        without: what is not wanted in it.
        then: what happens afterwards, in order.
        within: seconds from the start of one step to the start of the next, at most.
        weight: share of the picture where text and picture are combined, in [0, 1].
    """

    text: str = ""
    without: tuple[str, ...] = ()
    then: tuple[str, ...] = ()
    within: float = WITHIN
    weight: float = 0.5

    def __post_init__(self) -> None:
        texts = self.texts
        length = sum(map(len, texts))
        if length > LONGEST_QUERY:
            raise ValueError(
                f"the query has {length} characters, at most {LONGEST_QUERY} are taken"
            )
        if len(texts) > MOST_TERMS:
            raise ValueError(f"the query has {len(texts)} parts, at most {MOST_TERMS} are taken")
        if not self.within > 0 or not 0 <= self.weight <= 1:
            raise ValueError(
                f"steps need seconds above 0 and a weight in [0, 1], got {self.within} and "
                f"{self.weight}"
            )

    @property
    def texts(self) -> tuple[str, ...]:
        """Every text of it, in the order of the rows that `score` wants."""
        asked = (self.text,) if self.text else ()
        return (*asked, *self.then, *self.without)


def parse_question(words: str) -> tuple[str, tuple[str, ...]]:
    """A typed query as the sentence and what is not wanted: `a street -car -"red bus"`."""
    negative = tuple(found[1] or found[2] for found in _NEGATIVE.finditer(words))
    return " ".join(_NEGATIVE.sub(" ", words).split()), negative


def score(
    question: Question,
    texts: Sequence[NDArray[np.float32]],
    picture: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """What every clip scores on every step of `question`.

    Text and picture are combined as numbers of standard deviations above the mean of all clips:
    two pictures of anything resemble each other more than a text and its picture do, so that the
    scores themselves, or a mean of the vectors, would be the picture's alone. From every step is
    taken off by how much a clip answers to what is not wanted, beyond an ordinary clip, so that
    one without it keeps its score.

    Args:
        question: what is asked.
        texts: `(n,)` scores of all n clips for each of `question.texts`.
        picture: `(n,)` scores of the picture, where one is given.

    Returns:
        `(k, n)`, one row a step.

    Raises:
        ValueError: when there is neither text nor picture.
    """
    rest = list(texts)
    first = rest.pop(0) if question.text else None
    if picture is not None:
        first = picture if first is None else _combined(first, picture, question.weight)
    if first is None:
        raise ValueError("the query is empty; say what happens in the moment you look for")
    steps = [first, *rest[: len(question.then)]]
    scores = np.stack(steps).astype(np.float32, copy=False)
    for unwanted in rest[len(question.then) :]:
        scores -= _excess(unwanted)
    return scores


def rank(
    question: Question,
    snapshot: Snapshot,
    steps: NDArray[np.float32],
    *,
    top: int,
    per_video: int | None,
    calibration: tuple[float, float] | None,
    filters: VideoFilter | None,
    pictured: bool = False,
) -> list[Moment]:
    """The best `top` moments, given what `score` made of the question.

    A calibration was fitted on plain sentences, and counts for them alone.
    """
    if question.then:
        return snapshot.rank_sequences(steps, within=question.within, top=top, filters=filters)
    plain = bool(question.text) and not question.without and not pictured
    return snapshot.rank(
        steps[0],
        top=top,
        per_video=per_video,
        calibration=calibration if plain else None,
        filters=filters,
    )


def _excess(unwanted: NDArray[np.float32]) -> NDArray[np.float32]:
    """By how much clips answer to what is not wanted; 0 for those that do not.

    The middle of the range takes the median's place where most of a library answers.
    """
    if not unwanted.size:
        return unwanted
    middle = (float(unwanted.min()) + float(unwanted.max())) / 2
    return np.maximum(unwanted - min(float(np.median(unwanted)), middle), 0)


def _combined(
    text: NDArray[np.float32], picture: NDArray[np.float32], weight: float
) -> NDArray[np.float32]:
    return ((1 - weight) * _standardised(text) + weight * _standardised(picture)).astype(np.float32)


def _standardised(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    if not scores.size:
        return scores
    spread = float(scores.std())
    return (scores - scores.mean()) / (spread if spread > 0 else 1)
