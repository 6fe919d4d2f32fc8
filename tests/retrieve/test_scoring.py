"""What is asked, and what clips score on it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moviola.retrieve.parsing import split_unwanted
from moviola.retrieve.query import Picture, Query
from moviola.retrieve.scoring import combine_scores


def row(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


@given(st.text())
def test_every_text_can_be_parsed_and_nothing_is_made_up(words):
    text, without = split_unwanted(words)
    assert text == " ".join(text.split())
    assert all(part in words for part in without)
    typed = {part for word in words.split() for part in (word, *word.split('"'))}
    assert set(text.split()) <= typed | {part.rstrip("*") for part in typed}


def test_a_plain_sentence_scores_what_the_model_says():
    (found,) = combine_scores(Query("a"), [row(0.1, 0.2, 0.3)])
    assert found == pytest.approx(row(0.1, 0.2, 0.3))


def test_what_is_not_wanted_costs_what_it_shows_beyond_an_ordinary_clip():
    wanted, unwanted = row(0.5, 0.5, 0.5, 0.5), row(0.1, 0.1, 0.1, 0.9)
    (found,) = combine_scores(Query("a", unwanted=("b",)), [wanted, unwanted])
    assert found == pytest.approx(row(0.5, 0.5, 0.5, -0.3))


def test_what_most_of_a_library_shows_can_be_unwanted_too():
    wanted, unwanted = row(0.5, 0.5, 0.5, 0.5), row(0.1, 0.9, 0.9, 0.9)
    (found,) = combine_scores(Query("a", unwanted=("b",)), [wanted, unwanted])
    assert found == pytest.approx(row(0.5, 0.1, 0.1, 0.1))


def test_pictures_resemble_each_other_more_than_texts_and_still_count_by_weight():
    text, picture = row(0.30, 0.20, 0.20, 0.20), row(0.7, 0.7, 0.7, 0.95)

    def best(weight):
        found = combine_scores(Query("a", weight=weight), [text], picture)
        return int(found[0].argmax())

    assert best(0.4) == 0  # a mean of the scores would be the picture's at any of these weights
    assert best(0.6) == 3
    alone = combine_scores(Query(like="c-0"), [], picture)[0]
    assert alone == pytest.approx(picture)


def test_every_step_is_a_row_and_pays_for_what_is_not_wanted():
    steps = combine_scores(Query("a", ("no",), ("b",)), [row(1, 1), row(0.5, 0.5), row(0.0, 0.4)])
    assert steps.shape == (2, 2)
    assert steps[0] == pytest.approx(row(1, 0.8))
    assert steps[1] == pytest.approx(row(0.5, 0.3))


def test_an_empty_library_scores_nothing():
    assert combine_scores(Query("a", ("b",)), [row(), row()]).shape == (1, 0)


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ({"text": "x" * 10_001}, "10001"),
        ({"text": "x", "unwanted": ("x",) * 16}, "17"),
        ({"text": "x", "then": ("x",) * 5}, "5 steps"),
        ({"text": "x", "within": 0}, "seconds"),
        ({"text": "x", "within": float("nan")}, "seconds"),
        ({"text": "x", "within": 3600.5}, "seconds"),
        ({"then": ("x",)}, "empty"),
        ({"unwanted": ("x",)}, "empty"),
        ({"text": "x", "weight": 1.5}, "weight"),
    ],
)
def test_questions_that_are_none(question, word):
    with pytest.raises(ValueError, match=word):
        Query(**question)


@pytest.mark.parametrize("words", ["", "  "])
def test_nothing_asked_is_said(words):
    with pytest.raises(ValueError, match="empty"):
        Query.parse(words)


@pytest.mark.parametrize("words", ["-car", '-"a red car" -street'])
def test_only_what_is_not_wanted_is_no_question(words):
    with pytest.raises(ValueError, match="as well"):
        Query.parse(words)


def test_pictures_are_equal_where_their_vectors_are():
    one, same, other = (Picture.of(row(*values)) for values in ((1, 2), (1, 2), (2, 1)))
    assert Query(pictures=(one,)) == Query(pictures=(same,)) != Query(pictures=(other,))
    assert len({Query(pictures=(each,)) for each in (one, same, other)}) == 2


def test_steps_that_are_blank_are_left_out():
    assert Query.parse("a", then=(" ", " b ", "")).then == ("b",)
