"""An index finds what a look at every text finds, however it is cut into segments."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moviola.library.text_index import (
    TYPO_WEIGHT,
    Segment,
    SoughtWord,
    TextIndex,
    is_one_typo,
    tokenise,
)

WORDS = ["exit", "exti", "sign", "signs", "exits", "the", "room", "room1", "東京", "t", "exi", "ex"]
texts_strategy = st.lists(st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join), max_size=12)


def weight(word: SoughtWord, other: str) -> float:
    """Compare two words by their definition, letter by letter."""
    if word.text == other or (word.is_prefix and other.startswith(word.text)):
        return 1.0
    if word.is_prefix or not word.may_err or len(word.text) < 4:
        return 0.0
    return TYPO_WEIGHT if is_one_typo(word.text, other) else 0.0


def scan_word(texts, alive, word):
    """Count a word by a look at every text."""
    found = {}
    for number, text in enumerate(texts):
        count = sum(weight(word, token.text) for token in tokenise(text))
        if alive[number] and count:
            found[number] = count
    return found


def scan_phrase(texts, alive, words):
    """Count a phrase by a look at every place of every text; near ones where they are rare."""
    found = {}
    for number, text in enumerate(texts):
        at = {}
        for token in tokenise(text):
            at.setdefault(token.position, []).append(token.text)
        count = 0.0
        for place in at:
            held = [
                max((weight(w, o) for o in at.get(place + w.offset, ())), default=0) for w in words
            ]
            if all(held):
                count += 1.0 if min(held) == 1.0 else TYPO_WEIGHT
        if alive[number] and count:
            found[number] = count
    return found


def as_dict(found):
    return dict(zip(found.texts.tolist(), found.counts.tolist(), strict=True))


def index_of(texts, cuts, alive):
    edges = [0, *sorted(cut for cut in set(cuts) if cut < len(texts)), len(texts)]
    segments = [Segment.of(texts[a:b]) for a, b in pairwise(edges)]
    return TextIndex(segments, np.array(alive, np.bool_))


@st.composite
def corpora(draw):
    texts = draw(texts_strategy)
    alive = draw(st.lists(st.booleans(), min_size=len(texts), max_size=len(texts)))
    return texts, alive, draw(st.lists(st.integers(0, 12), max_size=3))


@given(corpora(), st.sampled_from(WORDS), st.booleans(), st.booleans())
def test_words_beginnings_and_typos_are_those_of_a_scan(corpus, text, prefix, err):
    texts, alive, cuts = corpus
    word = SoughtWord(text, 0, prefix, err)
    assert as_dict(index_of(texts, cuts, alive).occurrences(word)) == scan_word(texts, alive, word)


@given(corpora(), st.lists(st.sampled_from(WORDS), min_size=2, max_size=3), st.booleans())
def test_phrases_are_those_of_a_scan(corpus, words, err):
    texts, alive, cuts = corpus
    sought = [SoughtWord(word, place, may_err=err) for place, word in enumerate(words)]
    found = index_of(texts, cuts, alive).phrase(sought)
    assert as_dict(found) == scan_phrase(texts, alive, sought)


@given(corpora(), st.sampled_from(WORDS))
def test_segments_change_no_score(corpus, text):
    texts, alive, cuts = corpus
    one = TextIndex([Segment.of(texts)], np.array(alive, np.bool_))
    many = index_of(texts, cuts, alive)
    word = SoughtWord(text)
    assert one.gains(one.occurrences(word)) == pytest.approx(many.gains(many.occurrences(word)))


@given(corpora())
def test_merged_segments_hold_what_counts(corpus):
    texts, alive, cuts = corpus
    index = index_of(texts, cuts, alive)
    bounds = np.cumsum([0, *map(len, index.segments)])
    masks = [index.alive[a:b] for a, b in pairwise(bounds)]
    merged = Segment.merged(index.segments, masks)
    fresh = Segment.of([text for text, kept in zip(texts, alive, strict=True) if kept])
    assert merged.is_whole
    for name, array in fresh.arrays().items():
        assert np.array_equal(array, merged.arrays()[name]), name


def test_scores_are_bm25():
    texts = ["exit", "exit exit sign", "no way out", "the sign"]
    index = TextIndex([Segment.of(texts)])
    found = index.occurrences(SoughtWord("exit"))
    rarity = math.log(1 + (4 - 2 + 0.5) / (2 + 0.5))
    mean = (1 + 3 + 3 + 2) / 4
    expected = [
        rarity * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * length / mean))
        for count, length in [(1, 1), (2, 3)]
    ]
    assert found.texts.tolist() == [0, 1]
    assert index.gains(found) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("exit", "exti", True),
        ("exit", "xeit", True),
        ("exit", "exits", True),
        ("exit", "exi", True),
        ("exit", "edit", True),
        ("exit", "ex1t", True),
        ("exit", "exit", False),
        ("room", "room1", False),
        ("room1", "room", False),
        ("exit", "tixe", False),
        ("exit", "etix", False),
        ("exit", "exti0", False),
    ],
)
def test_one_typo_is_one_letter_or_two_swapped(one, other, same):
    assert is_one_typo(one, other) is same
    assert is_one_typo(other, one) is same


@given(st.text("abc", min_size=4, max_size=7), st.text("abc", min_size=3, max_size=8))
def test_every_typo_is_found_among_the_terms(word, other):
    index = TextIndex([Segment.of([other])])
    found = index.occurrences(SoughtWord(word)).texts.size
    assert bool(found) is (word == other or is_one_typo(word, other))
