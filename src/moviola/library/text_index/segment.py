"""Hold an inverted index of many texts in arrays: for every term its texts and positions."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from moviola.library.text_index.tokens import index_tokens

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Above every character: where the terms that begin with something end.
_LAST = b"\xff"


@dataclass(frozen=True)
class Segment:
    """An inverted index of n texts, V terms, P pairs of a term and a text, T occurrences.

    Attributes:
        letters: the terms one after the other, in UTF-8, sorted by their bytes.
        term_ends: `(V + 1,)` term v is `letters[term_ends[v]:term_ends[v + 1]]`.
        backwards: `(V,)` the terms, sorted by their bytes read backwards.
        text_ends: `(V + 1,)` term v stands in `texts[text_ends[v]:text_ends[v + 1]]`.
        texts: `(P,)` numbers of texts, ascending within a term.
        position_ends: `(P + 1,)` pair p stands at
            `positions[position_ends[p]:position_ends[p + 1]]`.
        positions: `(T,)` places among the words of the text, ascending within a pair.
        lengths: `(n,)` words of each text.
    """

    letters: NDArray[np.uint8]
    term_ends: NDArray[np.int64]
    backwards: NDArray[np.int32]
    text_ends: NDArray[np.int64]
    texts: NDArray[np.int32]
    position_ends: NDArray[np.int64]
    positions: NDArray[np.int32]
    lengths: NDArray[np.int32]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Self:
        """Index texts, numbered from 0."""
        numbers: dict[str, int] = {}
        terms: list[int] = []
        positions: list[int] = []
        counts: list[int] = []
        lengths: list[int] = []
        for text in texts:
            tokens = index_tokens(text)
            terms.extend([numbers.setdefault(word, len(numbers)) for word, _ in tokens])
            positions.extend([position for _, position in tokens])
            counts.append(len(tokens))
            lengths.append(tokens[-1][1] + 1 if tokens else 0)
        words = [word.encode() for word in numbers]
        order = sorted(range(len(words)), key=words.__getitem__)
        rank = np.empty(len(words), np.int64)
        rank[order] = np.arange(len(words))
        of_term = rank[np.array(terms, np.int64)] if terms else np.zeros(0, np.int64)
        of_text = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
        return cls._gathered(
            [words[place] for place in order],
            of_term,
            of_text,
            np.array(positions, np.int32),
            np.array(lengths, np.int32),
        )

    @classmethod
    def merged(cls, segments: Sequence[Segment], kept: Sequence[NDArray[np.bool_]]) -> Self:
        """Merge segments to one of the texts that are `kept`, numbered on in their order."""
        known: dict[bytes, int] = {}
        for segment in segments:
            for term in segment.terms():
                known.setdefault(term, 0)
        words = sorted(known)
        known = {word: number for number, word in enumerate(words)}
        parts: list[tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]] = []
        base = 0
        for segment, keep in zip(segments, kept, strict=True):
            ranks = np.array([known[term] for term in segment.terms()], np.int64)
            pairs = np.diff(segment.position_ends)
            of_term = np.repeat(np.repeat(ranks, np.diff(segment.text_ends)), pairs)
            of_text = np.repeat(segment.texts, pairs)
            stays = keep[of_text]
            renumbered = (np.cumsum(keep) - 1 + base).astype(np.int32)
            parts.append((of_term[stays], renumbered[of_text[stays]], segment.positions[stays]))
            base += int(keep.sum())
        lengths = [segment.lengths[keep] for segment, keep in zip(segments, kept, strict=True)]
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
        return cls._gathered(words, columns[0], columns[1], columns[2], np.concatenate(lengths))

    @classmethod
    def _gathered(
        cls,
        words: Sequence[bytes],
        of_term: NDArray[np.int64],
        of_text: NDArray[np.int32],
        positions: NDArray[np.int32],
        lengths: NDArray[np.int32],
    ) -> Self:
        """Gather T occurrences, in the order of texts and positions for each term."""
        order = np.argsort(of_term, kind="stable")
        of_term, of_text = of_term[order], of_text[order]
        begins = np.ones(of_term.size, np.bool_)
        begins[1:] = (of_term[1:] != of_term[:-1]) | (of_text[1:] != of_text[:-1])
        firsts = np.flatnonzero(begins)
        counts = np.bincount(of_term[firsts], minlength=len(words))
        # Terms of texts that are gone go with them.
        words = [word for word, count in zip(words, counts.tolist(), strict=True) if count]
        counts = counts[counts > 0]
        mirrored = [word[::-1] for word in words]
        return cls(
            np.frombuffer(b"".join(words), np.uint8),
            _ends(np.fromiter(map(len, words), np.int64, len(words))),
            np.array(sorted(range(len(words)), key=mirrored.__getitem__), np.int32),
            _ends(counts),
            of_text[firsts],
            np.append(firsts, of_term.size).astype(np.int64),
            positions[order],
            lengths,
        )

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Make a segment of its named arrays.

        Raises:
            KeyError: when one is missing.
        """
        return cls(**{field.name: arrays[field.name] for field in fields(cls)})

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Name its arrays."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def is_whole(self) -> bool:
        """Tell whether its arrays fit together."""
        terms, pairs = len(self.term_ends) - 1, len(self.texts)
        return (
            terms >= 0
            and len(self.backwards) == terms
            and len(self.text_ends) == terms + 1
            and len(self.position_ends) == pairs + 1
            and int(self.term_ends[-1]) == len(self.letters)
            and int(self.text_ends[-1]) == pairs
            and int(self.position_ends[-1]) == len(self.positions)
            and (not pairs or int(self.texts.max()) < len(self.lengths))
        )

    @property
    def term_count(self) -> int:
        """Return V."""
        return len(self.term_ends) - 1

    def term(self, number: int) -> bytes:
        """Return a term."""
        return self.letters[self.term_ends[number] : self.term_ends[number + 1]].tobytes()

    def terms(self) -> list[bytes]:
        """List all terms, in order."""
        letters, ends = self.letters.tobytes(), self.term_ends.tolist()
        return [letters[a:b] for a, b in pairwise(ends)]

    def find(self, term: str) -> int | None:
        """Find the number of a term, None where it does not occur."""
        wanted = term.encode()
        at = bisect_left(self._forwards, wanted)
        return at if at < self.term_count and self.term(at) == wanted else None

    def find_prefix(self, prefix: str) -> range:
        """Find the numbers of the terms that begin with `prefix`."""
        begin = prefix.encode()
        return range(bisect_left(self._forwards, begin), bisect_left(self._forwards, begin + _LAST))

    def find_suffix(self, suffix: str) -> NDArray[np.int32]:
        """Find the numbers of the terms that end in `suffix`."""
        end = suffix.encode()[::-1]
        first = bisect_left(self._mirrored, end)
        return self.backwards[first : bisect_left(self._mirrored, end + _LAST)]

    @cached_property
    def _forwards(self) -> _Terms:
        return _Terms(self)

    @cached_property
    def _mirrored(self) -> _MirroredTerms:
        return _MirroredTerms(self)


class _Terms(Sequence[bytes]):
    """Present the terms of a segment as a sorted sequence."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment

    def __len__(self) -> int:
        return self._segment.term_count

    def __getitem__(self, place: int) -> bytes:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._segment.term(place)


class _MirroredTerms(_Terms):
    """Present the terms of a segment read backwards, as a sorted sequence."""

    def __getitem__(self, place: int) -> bytes:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._segment.term(int(self._segment.backwards[place]))[::-1]


def _ends(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Turn counts `(m,)` into offsets `(m + 1,)`."""
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
