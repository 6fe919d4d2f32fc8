"""Match a query with passages of text: for each part of it, the best passages of each channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from moviola.library.text_index import IndexedPassages, SoughtWord, query_tokens
from moviola.retrieve.parsing import GROUPS, Term, group_of
from moviola.retrieve.words.candidates import (
    LIGHT_SHARE,
    LIGHT_WORDS,
    MOST_WORDS,
    best_first,
    pointed_words,
    score_words,
    sentence_words,
)
from moviola.retrieve.words.comparing import Asked, Comparison, compare
from moviola.retrieve.words.evidence import probability_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Passages whose scores are ordered, of all channels.
_MOST_RANKED = 4096
# Passages of one channel that are compared with a query, at most.
_MOST_COMPARED = 100
#: What is less probable than this is not shown as a match.
LEAST_PROBABILITY = 0.02
# Videos that match nearly as well as one are its rivals.
_RIVAL_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class PassageHit:
    """A passage that matches a part of a query.

    Attributes:
        number: of the passage.
        video: its video's place in `IndexedPassages.video_ids`.
        group: `said`, `written`, `named`, or the name of its channel.
        part: 0 for the sentence, then the terms in order.
        start: seconds.
        end: seconds.
        probability: of being what was meant.
        score: BM25.
        asked: what it was compared with.
        compared: how it compares.
        rivals: how many videos match about as well, its own included.
    """

    number: int
    video: int
    group: str
    part: int
    start: float
    end: float
    probability: float
    score: float
    asked: Asked
    compared: Comparison
    rivals: int

    @property
    def is_exact(self) -> bool:
        """Tell whether the passage is, word by word, what was asked."""
        return self.compared.is_exact


@dataclass(frozen=True, slots=True)
class Matches:
    """Hold what passages a query matches.

    Attributes:
        hits: the best of each part and group, best first.
        required: for each required term the `(n,)` mask of the passages that satisfy it.
        barred: `(n,)` which passages hold what is not wanted.
    """

    hits: Sequence[PassageHit]
    required: Sequence[NDArray[np.bool_]]
    barred: NDArray[np.bool_]

    @property
    def is_empty(self) -> bool:
        """Tell whether passages have no say in what is found."""
        return not self.hits and not self.required and not self.barred.any()


def match_passages(
    text: str,
    terms: Sequence[Term],
    barred: Sequence[Term],
    passages: IndexedPassages,
    admitted: NDArray[np.bool_],
) -> Matches:
    """Match a sentence and terms with passages.

    Args:
        text: the sentence; it matches by some of its words.
        terms: a phrase in quotes that no passage holds is no condition, one of a channel is.
        barred: words that a passage must not hold to count; they are taken as they are typed.
        passages: n of them.
        admitted: `(n,)` which of them are searched.
    """
    unwanted = np.zeros(len(passages), np.bool_)
    for term in barred:
        words = tuple(replace(word, may_err=False) for word in term.words)
        if words:
            unwanted |= _holding(replace(term, words=words), passages)[0] & admitted
    admitted = admitted & ~unwanted
    hits = compared_passages(text, passages, admitted)
    required: list[NDArray[np.bool_]] = []
    for part, term in enumerate(terms, 1):
        mask, numbers, scores = _term_mask(term, passages, admitted)
        if term.field is not None or (term.is_required and numbers.size):
            required.append(mask)
        asked = _asked_of_term(term.words, passages)
        hits += _hits(asked, part, numbers, scores, passages)
    hits = [hit for hit in hits if hit.probability >= LEAST_PROBABILITY]
    hits.sort(key=lambda hit: (-hit.is_exact, -hit.probability, -hit.score, hit.number))
    return Matches(hits, required, unwanted)


def compared_passages(
    text: str, passages: IndexedPassages, admitted: NDArray[np.bool_]
) -> list[PassageHit]:
    """Compare the best passages of each group with a sentence, best first within a group."""
    words = sentence_words(text)
    if not words:
        return []
    numbers, scores, rarities = score_words(passages.index, words)
    stays = admitted[numbers]
    numbers, scores = best_first(numbers[stays], scores[stays], _MOST_RANKED)
    told = {
        word.text: float(rarity) * (LIGHT_SHARE if word.text in LIGHT_WORDS else 1.0)
        for word, rarity in zip(words, rarities, strict=True)
    }
    in_order = [
        replace(_word_of(words, token.text), offset=token.position)
        for token in query_tokens(text)
        if token.text in told
    ]
    asked = Asked(in_order[: 4 * MOST_WORDS], told, pointed_words(text))
    return _hits(asked, 0, numbers, scores, passages)


def _word_of(words: Sequence[SoughtWord], text: str) -> SoughtWord:
    """Return the word of that text."""
    return next(word for word in words if word.text == text)


def _term_mask(
    term: Term, passages: IndexedPassages, admitted: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.float32]]:
    """Find the passages that satisfy a term: their mask `(n,)`, numbers and scores, best first."""
    mask, found_numbers, found_scores = _holding(term, passages)
    mask &= admitted
    stays = mask[found_numbers]
    return mask, *best_first(found_numbers[stays], found_scores[stays], _MOST_RANKED)


def _holding(
    term: Term, passages: IndexedPassages
) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.float32]]:
    """Find the passages that hold a term, in its channels: their mask, numbers and scores."""
    found = passages.index.phrase(term.words)
    numbers, scores = found.texts, passages.index.gains(found)
    if term.field is not None:
        names = GROUPS.get(term.field, frozenset({term.field}))
        meant = np.array([name in names for name in passages.channel_names], np.bool_)
        stays = meant[passages.channels[numbers]]
        numbers, scores = numbers[stays], scores[stays]
    mask = np.zeros(len(passages), np.bool_)
    mask[numbers] = True
    return mask, numbers, scores


def _asked_of_term(words: Sequence[SoughtWord], passages: IndexedPassages) -> Asked:
    """Weigh the words of a term."""
    return Asked(words, {word.text: passages.index.occurrences(word).rarity for word in words})


def _hits(
    asked: Asked,
    part: int,
    numbers: NDArray[np.int64],
    scores: NDArray[np.float32],
    passages: IndexedPassages,
) -> list[PassageHit]:
    """Compare the best passages of each group, given all that were found, best first."""
    groups = np.array([group_of(name) for name in passages.channel_names])
    found: list[PassageHit] = []
    for group in sorted(set(groups.tolist())):
        own = np.flatnonzero((groups == group)[passages.channels[numbers]])
        if own.size:
            rivals = _rivals(passages.videos[numbers[own]], scores[own])
            best = zip(numbers[own].tolist(), scores[own].tolist(), rivals, strict=False)
            found += [_hit(asked, part, group, each, passages) for each in best]
    return found


def _rivals(videos: NDArray[np.int32], scores: NDArray[np.float32]) -> list[int]:
    """Count the videos that score nearly as well as each of the best passages, or better."""
    _, firsts = np.unique(videos, return_index=True)
    best = np.sort(scores[firsts])[::-1]  # of each video
    at = np.searchsorted(-best, -_RIVAL_SHARE * scores[:_MOST_COMPARED], side="right")
    return at.tolist()


def _hit(
    asked: Asked,
    part: int,
    group: str,
    found: tuple[int, float, int],
    passages: IndexedPassages,
) -> PassageHit:
    """Compare a passage, given its number, score and number of rivals."""
    number, score, rivals = found
    compared = compare(asked, passages.text(number))
    start, end = passages.spans[number].tolist()
    return PassageHit(
        number,
        int(passages.videos[number]),
        group,
        part,
        start,
        end,
        probability_of(compared, rivals),
        score,
        asked,
        compared,
        rivals,
    )
