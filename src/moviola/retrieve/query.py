"""Say what is asked of a library: a sentence, a picture or both, and what goes with them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import numpy as np

from moviola.library import VideoFilter
from moviola.retrieve.parsing import split_unwanted

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Longest query in characters. Longer ones are a mistake, and cost an encoder minutes.
LONGEST_QUERY = 10_000
#: Sentences, steps and unwanted terms together, at most.
MOST_TERMS = 16
#: Steps after the first, at most.
MOST_STEPS = 4
#: Seconds from the start of one step to the start of the next, unless told otherwise.
WITHIN = 30.0
#: The least and the most that can be asked for, seconds.
LEAST_WITHIN, MOST_WITHIN = 1.0, 3600.0
#: The picture's share where text and picture are combined, unless told otherwise.
WEIGHT = 0.5

_EMPTY = "the query is empty; say what happens in the moment you look for"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture or short clip to search with. Two are equal where their vectors are.

    Attributes:
        direction: `(D,)`, what the vectors of a library are multiplied with.
        digest: of the direction.
    """

    direction: NDArray[np.float32] = field(compare=False, repr=False)
    digest: str

    @classmethod
    def of(cls, direction: NDArray[np.float32]) -> Self:
        """Wrap a direction `(D,)`, as `Library.direction` makes it."""
        row = np.ascontiguousarray(direction, np.float32)
        return cls(row, hashlib.blake2b(row.tobytes(), digest_size=16).hexdigest())


@dataclass(frozen=True, slots=True)
class Query:
    """Hold what is asked of a library.

    Attributes:
        text: what happens in the moment; `""` where pictures ask alone.
        unwanted: what should not be seen in it.
        then: what happens afterwards, in order.
        within: seconds from the start of one step to the start of the next, at most.
        pictures: what the moment looks like.
        like: id of a clip of the library that the moment looks like.
        own: whether moments of that clip's own video are found too.
        weight: share of the pictures where text and pictures are combined, in [0, 1].
        filters: which videos to search; None for all.

    Raises:
        ValueError: when nothing is asked, or more than can be answered.
    """

    text: str = ""
    unwanted: tuple[str, ...] = ()
    then: tuple[str, ...] = ()
    within: float = WITHIN
    pictures: tuple[Picture, ...] = ()
    like: str | None = None
    own: bool = False
    weight: float = WEIGHT
    filters: VideoFilter | None = None

    def __post_init__(self) -> None:
        if not self.text and not self.is_pictured:
            raise ValueError(_EMPTY)
        texts = self.texts
        length = sum(map(len, texts))
        if length > LONGEST_QUERY:
            raise ValueError(
                f"the query has {length} characters, at most {LONGEST_QUERY} are taken"
            )
        if len(texts) > MOST_TERMS:
            raise ValueError(f"the query has {len(texts)} parts, at most {MOST_TERMS} are taken")
        if len(self.then) > MOST_STEPS:
            raise ValueError(
                f"the query has {len(self.then)} steps after the first, at most {MOST_STEPS} are "
                "taken"
            )
        if not LEAST_WITHIN <= self.within <= MOST_WITHIN:
            raise ValueError(
                f"steps lie within {LEAST_WITHIN:g} to {MOST_WITHIN:g} seconds of each other, "
                f"got {self.within}"
            )
        if not 0 <= self.weight <= 1:
            raise ValueError(f"the weight of a picture is in [0, 1], got {self.weight}")

    @classmethod
    def parse(
        cls,
        words: str,
        *,
        then: Sequence[str] = (),
        within: float = WITHIN,
        pictures: Sequence[Picture] = (),
        like: str | None = None,
        own: bool = False,
        weight: float = WEIGHT,
        filters: VideoFilter | None = None,
    ) -> Self:
        """Make a query of typed words, whose `-words` and `-"two words"` are not wanted.

        Steps that are blank are left out. The other arguments are the query's attributes.

        Raises:
            ValueError: when nothing is asked, or more than can be answered.
        """
        text, unwanted = split_unwanted(words)
        if not text and unwanted and not pictures and like is None:
            raise ValueError(
                "the query only says what is not wanted; say what happens in the moment as well"
            )
        steps = tuple(step for step in map(str.strip, then) if step)
        return cls(text, unwanted, steps, within, tuple(pictures), like, own, weight, filters)

    @property
    def texts(self) -> tuple[str, ...]:
        """List every text of it: the sentence, the steps, what is not wanted."""
        asked = (self.text,) if self.text else ()
        return (*asked, *self.then, *self.unwanted)

    @property
    def is_pictured(self) -> bool:
        """Tell whether it asks for something that looks like a picture or clip."""
        return bool(self.pictures) or self.like is not None

    @property
    def is_plain(self) -> bool:
        """Tell whether it is one sentence, whose scores are the encoder's own."""
        return bool(self.text) and not (self.unwanted or self.then or self.is_pictured)
