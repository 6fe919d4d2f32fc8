"""Compare one passage with what was asked: how much of both matches, and how it stands there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from moviola.library.text_index import (
    LEAST_LETTERS,
    TYPO_WEIGHT,
    SoughtWord,
    index_tokens,
    is_gram,
    is_one_typo,
)


@dataclass(frozen=True)
class Asked:
    """Hold the words that are asked for.

    Attributes:
        words: in order, with their places in `offset`; some may be the same.
        rarities: by the words' texts, how much each tells.
        pointed: numbers of the words that the query points at as words: `says`, capitals.
        found: what words of texts were compared already, and what each matches.
    """

    words: Sequence[SoughtWord]
    rarities: Mapping[str, float]
    pointed: frozenset[int] = frozenset()
    found: dict[str, tuple[str, float] | None] = field(default_factory=dict, compare=False)

    @cached_property
    def by_text(self) -> dict[str, SoughtWord]:
        """Return the different words by their texts."""
        return {word.text: word for word in self.words}

    @cached_property
    def total(self) -> float:
        """Add up the rarities of the different words."""
        return sum(self.rarities[text] for text in self.by_text)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Hold how much of a query and of a passage match; shares are in [0, 1].

    Attributes:
        query_share: of the query's different words, by rarity.
        run_share: of the longest run of words that stand beside each other in both, by rarity.
        passage_share: of the passage's words, by number.
        nats: the rarities of the matched words together.
        is_pointed: whether the query points at the first word of that run.
        is_exact: whether the passage says what was asked and nothing else, or says all of it in a
            row and that is more than one word.
    """

    query_share: float
    run_share: float
    passage_share: float
    nats: float
    is_pointed: bool
    is_exact: bool


def matching(asked: Asked, word: str) -> tuple[str, float] | None:
    """Find the asked word that a word of a text matches, and how well: 1 or `TYPO_WEIGHT`."""
    if word not in asked.found:
        asked.found[word] = _match(asked, word)
    return asked.found[word]


def _match(asked: Asked, word: str) -> tuple[str, float] | None:
    """Compare a word with every one that is asked for."""
    if word in asked.by_text:
        return word, 1.0
    for sought in asked.by_text.values():
        if sought.is_prefix and word.startswith(sought.text):
            return sought.text, 1.0
        if (
            sought.may_err
            and not sought.is_prefix
            and len(sought.text) >= LEAST_LETTERS
            and is_one_typo(sought.text, word)
        ):
            return sought.text, TYPO_WEIGHT
    return None


def compare(asked: Asked, text: str) -> Comparison:
    """Compare the text of a passage with what was asked."""
    best: dict[str, float] = {}
    places: dict[str, list[int]] = {}
    covered: set[int] = set()
    tokens = index_tokens(text)
    for word, position in tokens:
        found = matching(asked, word)
        if found is not None:
            name, weight = found
            best[name] = max(best.get(name, 0.0), weight)
            places.setdefault(name, []).append(position)
            covered.update((position, position + 1) if _is_pair(word) else (position,))
    length = tokens[-1][1] + 1 if tokens else 0
    total = asked.total
    nats = sum(asked.rarities[name] * weight for name, weight in best.items())
    run, first, words_in_row = _longest_run(asked, places, best)
    passage_share = min(1.0, len(covered) / length) if length else 0.0
    whole = words_in_row == len(asked.words) and min(best.values(), default=0.0) == 1.0
    return Comparison(
        nats / total if total else 0.0,
        min(1.0, run / total) if total else 0.0,
        passage_share,
        nats,
        first in asked.pointed,
        whole and (passage_share == 1.0 or words_in_row > 1),
    )


def _longest_run(
    asked: Asked, places: Mapping[str, Sequence[int]], best: Mapping[str, float]
) -> tuple[float, int, int]:
    """Find the run of asked words, beside each other in the passage too, that tells most.

    Returns:
        The rarities of its words together, the number of its first word, -1 where there is none,
        and how many they are.
    """
    rows: dict[int, list[int]] = {}
    for number, word in enumerate(asked.words):
        for position in places.get(word.text, ()):
            rows.setdefault(position - word.offset, []).append(number)
    found = (0.0, -1, 0)
    for numbers in rows.values():
        told, first, last = 0.0, -1, -2
        for number in numbers:
            if number == last:
                continue
            if number != last + 1:
                told, first = 0.0, number
            text = asked.words[number].text
            told += asked.rarities[text] * best[text]
            last = number
            if told > found[0]:
                found = told, first, number - first + 1
    return found


def _is_pair(word: str) -> bool:
    """Tell whether a token is two characters of a script without spaces."""
    return len(word) == 2 and is_gram(word)
