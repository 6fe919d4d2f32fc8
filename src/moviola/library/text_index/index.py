"""Find words, beginnings of words, typos and phrases in many texts, and weigh them by BM25."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from moviola.library.text_index.segment import Segment
from moviola.library.text_index.typos import similar_terms

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The usual numbers of Robertson and Zaragoza: The Probabilistic Relevance Framework: BM25 and
# Beyond, Foundations and Trends in Information Retrieval 3(4), 2009.
_K1, _B = 1.2, 0.75
# A word is common in more texts than this, and in more than this share of them.
_COMMON_TEXTS, _COMMON_SHARE = 1000, 0.02
# A phrase in fewer texts than this is looked for with typos as well.
_RARE_PHRASE = 100
#: What an occurrence with a typo counts beside a right one.
TYPO_WEIGHT = 0.5
# Bits of a key of an occurrence that are its position; the text's number stands above them.
_POSITION_BITS = 32


@dataclass(frozen=True, slots=True)
class SoughtWord:
    """A word that is looked for.

    Attributes:
        text: folded.
        offset: its place in a phrase.
        is_prefix: whether longer words that begin with it are meant as well.
        may_err: whether words that are one typo away are found as well.
    """

    text: str
    offset: int = 0
    is_prefix: bool = False
    may_err: bool = True


@dataclass(frozen=True, slots=True)
class Occurrences:
    """The m texts that something occurs in.

    Attributes:
        texts: `(m,)` their numbers, ascending.
        counts: `(m,)` how often, occurrences with a typo counted by `TYPO_WEIGHT`.
        rarity: how much an occurrence tells: the inverse document frequency of BM25.
    """

    texts: NDArray[np.int64]
    counts: NDArray[np.float32]
    rarity: float


class TextIndex:
    """Hold n texts in segments, some of which no longer count.

    Args:
        segments: numbered on in their order.
        alive: `(n,)` which texts count; None for all.
    """

    def __init__(self, segments: Sequence[Segment], alive: NDArray[np.bool_] | None = None) -> None:
        self.segments = segments
        self._bases = np.cumsum([0, *map(len, segments)]).tolist()
        total = self._bases[-1]
        self.alive = np.ones(total, np.bool_) if alive is None else alive
        self.count = int(self.alive.sum())

    def __len__(self) -> int:
        return self._bases[-1]

    def occurrences(self, word: SoughtWord) -> Occurrences:
        """Find where a word occurs.

        Its rarity is that of the word as it was typed; where that occurs nowhere, of its typos.
        """
        exact = self._found(self._exact(word))
        near = self._found(self._near(word))
        frequency = exact[0].size or near[0].size
        if not near[0].size:
            return Occurrences(*exact, self._rarity(frequency))
        texts = np.concatenate([exact[0], near[0]])
        counts = np.concatenate([exact[1], np.float32(TYPO_WEIGHT) * near[1]])
        return Occurrences(*add_up(texts, counts, len(self)), self._rarity(frequency))

    def phrase(self, words: Sequence[SoughtWord]) -> Occurrences:
        """Find where words occur at their places beside each other.

        Where that is rare, phrases with typos are found as well, and count less. Its rarity is
        the sum of those of its words.
        """
        if len(words) == 1:
            return self.occurrences(words[0])
        exact = [self._exact(word) for word in words]
        rarity = sum(self._rarity(self._found(numbers)[0].size) for numbers in exact)
        texts, counts = self._phrase(words, exact)
        if texts.size < _RARE_PHRASE and any(word.may_err for word in words):
            either = [
                [[*known, *near] for known, near in zip(numbers, self._near(word), strict=True)]
                for numbers, word in zip(exact, words, strict=True)
            ]
            more, often = self._phrase(words, either)
            # What is found with typos holds what is found without.
            right = np.zeros(more.size, np.float32)
            right[np.searchsorted(more, texts)] = counts
            texts, counts = more, (right + TYPO_WEIGHT * (often - right)).astype(np.float32)
        return Occurrences(texts, counts, rarity)

    def gains(self, found: Occurrences, at: NDArray[np.intp] | None = None) -> NDArray[np.float32]:
        """Compute the BM25 of what was found in each text, `(m,)`, or only `at` some places."""
        texts = found.texts if at is None else found.texts[at]
        counts = found.counts if at is None else found.counts[at]
        gains = found.rarity * (_K1 + 1) * counts / (counts + self._norms[texts])
        return gains.astype(np.float32, copy=False)

    def is_common(self, found: Occurrences) -> bool:
        """Tell whether so many texts hold a word that it hardly tells them apart."""
        return found.texts.size > max(_COMMON_TEXTS, _COMMON_SHARE * self.count)

    @cached_property
    def _norms(self) -> NDArray[np.float32]:
        """Set what long texts are held down by, `(n,)`."""
        lengths = np.concatenate([*(each.lengths for each in self.segments), np.zeros(0, np.int32)])
        mean = float(lengths[self.alive].mean()) if self.count else 1.0
        return (_K1 * (1 - _B + _B * lengths / max(mean, 1.0))).astype(np.float32)

    def _exact(self, word: SoughtWord) -> list[Sequence[int]]:
        """Find the terms that are the word, or begin with it, in each segment."""
        if word.is_prefix:
            return [segment.find_prefix(word.text) for segment in self.segments]
        found = [segment.find(word.text) for segment in self.segments]
        return [() if number is None else (number,) for number in found]

    def _near(self, word: SoughtWord) -> list[Sequence[int]]:
        """Find the terms that are one typo away, in each segment."""
        if word.is_prefix or not word.may_err:
            return [()] * len(self.segments)
        return [similar_terms(segment, word.text) for segment in self.segments]

    def _rarity(self, frequency: int) -> float:
        """Compute the inverse document frequency of BM25, which is above 0."""
        return math.log1p((self.count - frequency + 0.5) / (frequency + 0.5))

    def _found(
        self, numbers: Sequence[Sequence[int]]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """List the texts that hold terms of each segment, and how often."""
        texts: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
        counts: list[NDArray[np.float32]] = [np.zeros(0, np.float32)]
        for segment, base, terms in zip(self.segments, self._bases, numbers, strict=False):
            for first, last in _runs(terms):
                begin, end = int(segment.text_ends[first]), int(segment.text_ends[last])
                texts.append(segment.texts[begin:end].astype(np.int64) + base)
                counts.append(np.diff(segment.position_ends[begin : end + 1]).astype(np.float32))
        found = np.concatenate(texts), np.concatenate(counts)
        if any(len(terms) > 1 for terms in numbers):
            found = add_up(*found, len(self))
        return self._only_alive(*found)

    def _phrase(
        self, words: Sequence[SoughtWord], numbers: Sequence[Sequence[Sequence[int]]]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """List the texts that hold a phrase, given the terms of each word in each segment."""
        texts: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
        counts: list[NDArray[np.float32]] = [np.zeros(0, np.float32)]
        for number, (segment, base) in enumerate(zip(self.segments, self._bases, strict=False)):
            keys = _phrase_keys(segment, [each[number] for each in numbers], words)
            found, often = np.unique(keys >> _POSITION_BITS, return_counts=True)
            texts.append(found + base)
            counts.append(often.astype(np.float32))
        return self._only_alive(np.concatenate(texts), np.concatenate(counts))

    def _only_alive(
        self, texts: NDArray[np.int64], counts: NDArray[np.float32]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Leave out the texts that no longer count."""
        if self.count == len(self):
            return texts, counts
        stays = self.alive[texts]
        return texts[stays], counts[stays]


def add_up(
    texts: NDArray[np.int64], counts: NDArray[np.float32], size: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Add up the counts of texts that are listed several times.

    Args:
        texts: `(m,)` numbers below `size`.
        counts: `(m,)`.
        size: how many texts there are.

    Returns:
        The texts, ascending, and their sums.
    """
    if texts.size > size // 16:
        total = np.bincount(texts, counts, minlength=size)
        found = np.flatnonzero(total)
        return found, total[found].astype(np.float32)
    found, place = np.unique(texts, return_inverse=True)
    return found, np.bincount(place, counts, minlength=found.size).astype(np.float32)


def _runs(terms: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield half-open ranges of neighbouring terms, whose texts lie side by side."""
    if isinstance(terms, range):
        if terms:
            yield terms.start, terms.stop
        return
    for number in terms:
        yield number, number + 1


def _phrase_keys(
    segment: Segment, numbers: Sequence[Sequence[int]], words: Sequence[SoughtWord]
) -> NDArray[np.int64]:
    """Find the keys of the places where a phrase begins in a segment."""
    if not all(numbers):
        return np.zeros(0, np.int64)
    sizes = [
        sum(int(segment.text_ends[b] - segment.text_ends[a]) for a, b in _runs(terms))
        for terms in numbers
    ]
    keys: NDArray[np.int64] | None = None
    for place in np.argsort(sizes, kind="stable").tolist():
        within = None if keys is None else np.unique(keys >> _POSITION_BITS)
        found = _keys(segment, numbers[place], within) - words[place].offset
        keys = np.unique(found) if keys is None else np.intersect1d(keys, found)
        if not keys.size:
            break
    return np.zeros(0, np.int64) if keys is None else keys


def _keys(
    segment: Segment, terms: Sequence[int], within: NDArray[np.int64] | None
) -> NDArray[np.int64]:
    """Make keys of all occurrences of terms, of texts `within` where those are given."""
    parts = [np.zeros(0, np.int64)]
    for first, last in _runs(terms):
        begin, end = int(segment.text_ends[first]), int(segment.text_ends[last])
        pairs = np.arange(begin, end)
        texts = segment.texts[begin:end].astype(np.int64)
        if within is not None:
            pairs, texts = _only_within(pairs, texts, within, is_sorted=last - first == 1)
        often = segment.position_ends[pairs + 1] - segment.position_ends[pairs]
        total = int(often.sum())
        starts = np.repeat(segment.position_ends[pairs] - (np.cumsum(often) - often), often)
        positions = segment.positions[starts + np.arange(total)]
        parts.append((np.repeat(texts, often) << _POSITION_BITS) + positions)
    return np.concatenate(parts)


def _only_within(
    pairs: NDArray[np.int64],
    texts: NDArray[np.int64],
    within: NDArray[np.int64],
    *,
    is_sorted: bool,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Keep the pairs whose texts are among few others, all ascending."""
    if is_sorted and within.size < texts.size:
        at = np.minimum(np.searchsorted(texts, within), texts.size - 1)
        at = at[texts[at] == within]
        return pairs[at], texts[at]
    if not within.size:
        return pairs[:0], texts[:0]
    at = np.minimum(np.searchsorted(within, texts), within.size - 1)
    stays = within[at] == texts
    return pairs[stays], texts[stays]
