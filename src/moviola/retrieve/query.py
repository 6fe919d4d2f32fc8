"""Say what is asked of a library: a sentence, a picture or both, and what goes with them.

A query is a sentence, a picture or both; things that are not wanted; and things that happen
after it. Everything becomes rows that are multiplied with the vectors of the library at once.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Longest query in characters. Longer ones are a mistake, and cost an encoder minutes.
LONGEST_QUERY = 10_000
#: Words and phrases that are not wanted, and steps after the first, at most.
MOST_TERMS = 16
#: Seconds from the start of one step to the start of the next, unless told otherwise.
WITHIN = 30.0


@dataclass(frozen=True, slots=True)
class Query:
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
