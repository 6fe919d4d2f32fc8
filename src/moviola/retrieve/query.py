"""Say what is asked of a library: a sentence, a picture or both, and what goes with them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import numpy as np

from moviola.library import VideoFilter
from moviola.retrieve.parsing import (
    SEEN,
    ParsedQuery,
    Term,
    check_channels,
    group_of,
    parse_query,
    without_quotation,
)

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
        terms: words that texts with times are asked for, beside those of the sentence.
        barred: words of single channels that are not wanted.
        later: the steps of `then`, parsed.
        channels: where to look: `seen`, `said`, `written`, `named`, or names of channels; None
            for everywhere.

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
    terms: tuple[Term, ...] = ()
    barred: tuple[Term, ...] = ()
    later: tuple[ParsedQuery, ...] = ()
    channels: frozenset[str] | None = None

    def __post_init__(self) -> None:
        if not self.text and not self.terms and not self.is_pictured:
            raise ValueError(_EMPTY)
        texts = (*self.texts, *(term.text for term in (*self.terms, *self.barred)))
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
        channels: Collection[str] | None = None,
        known: Collection[str] = (),
    ) -> Self:
        """Make a query of typed words, as `parse_query` understands them.

        Steps that are blank are left out. `known` names channels that may stand before a colon
        beside those that every library has. The other arguments are the query's attributes.

        Raises:
            ValueError: when nothing is asked, or more than can be answered.
        """
        parsed = parse_query(words, known)
        steps = tuple(step for step in map(str.strip, then) if step)
        asked = parsed.text or parsed.terms or pictures or like is not None
        if not asked and (parsed.unwanted or parsed.barred):
            raise ValueError(
                "the query only says what is not wanted; say what happens in the moment as well"
            )
        return cls(
            # Steps are compared by pictures too, for which a word of a sign is better than nothing.
            parsed.text or (_terms_text(parsed) if steps else ""),
            parsed.unwanted,
            steps,
            within,
            tuple(pictures),
            like,
            own,
            weight,
            filters,
            parsed.terms,
            parsed.barred,
            tuple(parse_query(step, known) for step in steps),
            None if channels is None else check_channels(channels, known),
        )

    def asks(self, channel: str) -> bool:
        """Tell whether it asks `seen`, or a channel of texts by its name or its group's."""
        return self.channels is None or not self.channels.isdisjoint({channel, group_of(channel)})

    @property
    def texts(self) -> tuple[str, ...]:
        """List every text that pictures are asked: the sentence, the steps, what is not wanted.

        Where texts are asked as well, clauses that quote are left to them.
        """
        asked = (self.text,) if self.text else ()
        later = (
            step.text or _terms_text(step) or typed
            for step, typed in zip(self.steps[1:], self.then, strict=True)
        )
        if self.is_read:
            asked, later = map(without_quotation, asked), map(without_quotation, later)
        return (*asked, *later, *self.unwanted)

    @property
    def steps(self) -> tuple[ParsedQuery, ...]:
        """List its steps: the sentence with its terms, and what comes afterwards."""
        first = ParsedQuery(self.text, terms=self.terms, barred=self.barred)
        return (first, *(self.later or map(ParsedQuery, self.then)))

    @property
    def is_seen(self) -> bool:
        """Tell whether pictures can answer it."""
        return bool(self.text or self.is_pictured) and self.asks(SEEN)

    @property
    def is_pictured(self) -> bool:
        """Tell whether it asks for something that looks like a picture or clip."""
        return bool(self.pictures) or self.like is not None

    @property
    def is_plain(self) -> bool:
        """Tell whether it is one sentence, whose scores are the encoder's own."""
        return bool(self.text) and not (self.unwanted or self.then or self.is_pictured)

    @property
    def is_read(self) -> bool:
        """Tell whether texts can answer it."""
        has_words = bool(self.text or self.terms) or any(step.terms for step in self.steps)
        return has_words and self.channels != frozenset({SEEN})


def _terms_text(parsed: ParsedQuery) -> str:
    """Write the terms of a step as a sentence."""
    return " ".join(term.text for term in parsed.terms)
