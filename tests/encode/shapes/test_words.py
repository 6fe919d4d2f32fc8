from __future__ import annotations

import numpy as np
import pytest

from moviola.encode.shapes.words import PAD, UNKNOWN, Vocabulary, split_clauses
from moviola.synthetic.shapes.facts import Claim
from moviola.synthetic.shapes.grammar import CONNECTIVES, brief_clause, say_clause, vocabulary
from moviola.synthetic.shapes.writing import draw

WORDS = Vocabulary(vocabulary(), 40)


@pytest.mark.parametrize("connective", CONNECTIVES)
def test_what_the_grammar_joins_is_split_again(connective):
    rng = np.random.default_rng(1)
    for number in range(20):
        claim = Claim(tuple(brief_clause(rng, take.shot) for take in draw(1, "val", number).takes))
        said = [say_clause(rng, clause) for clause in claim.clauses][:2]
        told = said[::-1] if connective == " after " else said
        assert split_clauses(connective.join(told)) == said


def test_one_clause_stays_one():
    assert split_clauses("a red square moves left while the camera pans up") == [
        "a red square moves left while the camera pans up"
    ]
    assert split_clauses("") == [""]


def test_numbers_are_padded_and_cut():
    short = Vocabulary(("red", "square"), 3)
    table = short.numbers(["Red, SQUARE!", "a red red square", ""])
    assert table.tolist() == [[2, 3, PAD], [UNKNOWN, 2, 2], [PAD, PAD, PAD]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a red square on a wall", 0.0),
        ("a dog on a skateboard", 1.0),
        ("a red dog", 2 / 3),
        ("a dog moves left", 0.5),
        ("the", 1.0),
        ("", 1.0),
    ],
)
def test_strangeness(text, expected):
    assert WORDS.strangeness(text) == pytest.approx(expected)


def test_captions_are_never_strange():
    for number in range(20):
        assert all(WORDS.strangeness(text) == 0 for text in draw(1, "val", number).captions)


def test_a_word_stands_once():
    with pytest.raises(ValueError, match="twice"):
        Vocabulary(("red", "red"), 3)
