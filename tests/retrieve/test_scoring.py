"""What is asked, and what clips score on it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moviola.retrieve.parsing import parse_query
from moviola.retrieve.query import Query
from moviola.retrieve.scoring import score_steps


def row(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


@given(st.text())
def test_every_text_can_be_parsed_and_nothing_is_made_up(words):
    text, without = parse_query(words)
    assert text == " ".join(text.split())
    assert all(part in words for part in without)
    kept = text.split()
    assert set(kept) <= set(words.split()) | {part for w in words.split() for part in w.split('"')}


def test_a_plain_sentence_scores_what_the_model_says():
    (found,) = score_steps(Query("a"), [row(0.1, 0.2, 0.3)])
    assert found == pytest.approx(row(0.1, 0.2, 0.3))


def test_what_is_not_wanted_costs_what_it_shows_beyond_an_ordinary_clip():
    wanted, unwanted = row(0.5, 0.5, 0.5, 0.5), row(0.1, 0.1, 0.1, 0.9)
    (found,) = score_steps(Query("a", without=("b",)), [wanted, unwanted])
    assert found == pytest.approx(row(0.5, 0.5, 0.5, -0.3))


def test_what_most_of_a_library_shows_can_be_unwanted_too():
    wanted, unwanted = row(0.5, 0.5, 0.5, 0.5), row(0.1, 0.9, 0.9, 0.9)
    (found,) = score_steps(Query("a", without=("b",)), [wanted, unwanted])
    assert found == pytest.approx(row(0.5, 0.1, 0.1, 0.1))


def test_pictures_resemble_each_other_more_than_texts_and_still_count_by_weight():
    text, picture = row(0.30, 0.20, 0.20, 0.20), row(0.7, 0.7, 0.7, 0.95)

    def best(weight):
        found = score_steps(Query("a", weight=weight), [text], picture)
        return int(found[0].argmax())

    assert best(0.4) == 0  # a mean of the scores would be the picture's at any of these weights
    assert best(0.6) == 3
    alone = score_steps(Query(), [], picture)[0]
    assert alone == pytest.approx(picture)


def test_every_step_is_a_row_and_pays_for_what_is_not_wanted():
    steps = score_steps(Query("a", ("no",), ("b",)), [row(1, 1), row(0.5, 0.5), row(0.0, 0.4)])
    assert steps.shape == (2, 2)
    assert steps[0] == pytest.approx(row(1, 0.8))
    assert steps[1] == pytest.approx(row(0.5, 0.3))


def test_an_empty_library_scores_nothing():
    assert score_steps(Query("a", ("b",)), [row(), row()]).shape == (1, 0)


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ({"text": "x" * 10_001}, "10001"),
        ({"then": ("x",) * 17}, "17"),
        ({"text": "x", "within": 0}, "seconds"),
        ({"text": "x", "weight": 1.5}, "weight"),
    ],
)
def test_questions_that_are_none(question, word):
    with pytest.raises(ValueError, match=word):
        Query(**question)


def test_nothing_asked_is_said():
    with pytest.raises(ValueError, match="empty"):
        score_steps(Query(), [])
