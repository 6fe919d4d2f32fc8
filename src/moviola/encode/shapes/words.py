"""Words and clauses: what the shipped encoder does to a text before its text tower sees it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PAD, UNKNOWN = 0, 1
FIRST_WORD = 2

_SAYING_NOTHING = """
    a an the and or of on in at to with by is are was be being it its this that there some one
    while as for from near next beside behind front against over under then before after first
    scene video clip shot moment show shows showing seen visible picture
    """
FUNCTION_WORDS = frozenset(_SAYING_NOTHING.split())
"""Words that say nothing about what is shown: they neither count as known nor as unknown."""

_THEN = re.compile(r"\s*[,;]?\s+(?:(?:and\s+)?then|before|followed\s+by)\s+")
_AFTER = re.compile(r"\s*,?\s+after\s+")
_WORD = re.compile(r"[^\W\d_]+|\d+")


def split_words(text: str) -> list[str]:
    """Return the lower-cased words of a text, without punctuation."""
    return _WORD.findall(text.lower())


def split_clauses(text: str) -> list[str]:
    """Split an order caption into clauses, in the order of their shots; others are one clause.

    "A, then B", "A before B" and "A, followed by B" give [A, B]; "B after A" gives [A, B] as well.
    """
    clauses: list[str] = []
    for part in _THEN.split(text.lower()):
        clauses += [piece for piece in reversed(_AFTER.split(part)) if piece.strip()]
    return clauses or [text]


@dataclass(frozen=True)
class Vocabulary:
    """The words that the text tower knows, in the order of their numbers."""

    words: tuple[str, ...]
    length: int
    """Words of a text that are read; later ones are ignored."""

    def __post_init__(self) -> None:
        if len(set(self.words)) != len(self.words):
            raise ValueError("a word stands twice in the vocabulary")

    def __len__(self) -> int:
        return FIRST_WORD + len(self.words)

    def numbers(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Turn texts into rows of word numbers.

        Returns:
            (N, longest text, at most `length`) int64, padded with `PAD`; unknown words are
            `UNKNOWN`.
        """
        index = {word: FIRST_WORD + i for i, word in enumerate(self.words)}
        rows = [
            [index.get(word, UNKNOWN) for word in split_words(text)[: self.length]]
            for text in texts
        ]
        table = np.full((len(rows), max([1, *map(len, rows)])), PAD, np.int64)
        for line, row in zip(table, rows, strict=True):
            line[: len(row)] = row
        return table

    def strangeness(self, text: str) -> float:
        """Measure how much of a text is about things outside the vocabulary, 0 to 1.

        An unknown content word weighs as much as two known ones: a single strange noun changes
        what is asked for, however many of its adjectives are familiar. A text without any known
        content is all strange.
        """
        words = [word for word in split_words(text) if word not in FUNCTION_WORDS]
        known = sum(word in self.words for word in words)
        unknown = len(words) - known
        return 1.0 if known == 0 else 2 * unknown / (2 * unknown + known)
