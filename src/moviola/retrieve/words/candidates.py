"""Find the passages in which words of a query occur, best first by BM25."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from moviola.library.text_index import (
    Occurrences,
    SoughtWord,
    TextIndex,
    add_up,
    query_tokens,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Different words of a sentence that are looked for; further ones tell no more.
MOST_WORDS = 64
# English words behind which a query quotes.
_CUE_WORDS = (
    "about called caption labelled mentioned mentions named read reading reads said say saying "
    "says sign text titled word words written"
)
_CUES = frozenset(_CUE_WORDS.split())


_FUNCTION_WORDS = (
    "a an and are as at be by for from has he her his i in is it its of on or she someone that the "
    "their there they this to was we when where which while who with you"
)
# English words that tell little of what is meant, however rarely passages hold them.
LIGHT_WORDS = _CUES | frozenset(_FUNCTION_WORDS.split())
# What such a word tells beside another one.
LIGHT_SHARE = 0.1


def sentence_words(text: str) -> tuple[SoughtWord, ...]:
    """Cut a sentence into different words to look for, wherever they stand."""
    found: dict[str, SoughtWord] = {}
    for token in query_tokens(text):
        if len(found) == MOST_WORDS:
            break
        may_err = not (token.has_digit or token.is_gram)
        found.setdefault(token.text, SoughtWord(token.text, may_err=may_err))
    return tuple(found.values())


def pointed_words(text: str) -> frozenset[int]:
    """Find the tokens of a query that it points at as words: `the sign says exit`, `a bus EXIT`.

    Returns:
        Their numbers among `query_tokens(text)`.
    """
    tokens = query_tokens(text)
    written = [unicodedata.normalize("NFC", text)[token.start : token.end] for token in tokens]
    shouts = not text.isupper()
    return frozenset(
        number
        for number, word in enumerate(written)
        if (number and tokens[number - 1].text in _CUES)
        or (shouts and len(word) > 1 and word.isupper())
    )


def score_words(
    index: TextIndex, words: Sequence[SoughtWord]
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float64]]:
    """Score the texts in which some of `words` occur.

    Common words find nothing by themselves where a rarer one occurs: they only add to the scores
    of what that finds.

    Returns:
        `(m,)` numbers of texts, ascending, their `(m,)` scores, and the rarities of the words.
    """
    found = [index.occurrences(word) for word in words]
    rarities = np.array([each.rarity for each in found], np.float64)
    rare = [each for each in found if each.texts.size and not index.is_common(each)]
    finding = rare or found
    if not finding:
        return np.zeros(0, np.int64), np.zeros(0, np.float32), rarities
    every = np.concatenate([each.texts for each in finding])
    gains = np.concatenate([index.gains(each) for each in finding])
    texts, scores = add_up(every, gains, len(index))
    for each in found if rare else ():
        if each.texts.size and index.is_common(each):
            _add_to(scores, texts, each, index)
    return texts, scores, rarities


def best_first(
    texts: NDArray[np.int64], scores: NDArray[np.float32], most: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Order texts by their scores, best first, and keep `most`; equals are in order."""
    if texts.size > most:
        least = np.partition(scores, texts.size - most)[texts.size - most]
        stays = np.flatnonzero(scores >= least)
        texts, scores = texts[stays], scores[stays]
    order = np.lexsort((texts, -scores))[:most]
    return texts[order], scores[order]


def _add_to(
    scores: NDArray[np.float32], texts: NDArray[np.int64], found: Occurrences, index: TextIndex
) -> None:
    """Add what a common word gains to the scores of the texts that were found."""
    at = np.minimum(np.searchsorted(found.texts, texts), found.texts.size - 1)
    holds = found.texts[at] == texts
    scores[holds] += index.gains(found, at[holds])
