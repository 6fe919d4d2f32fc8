"""Corrections by name: the built-in ones, and one's own as `module:attribute`."""

from __future__ import annotations

import numpy as np
import pytest

from moviola.core import PluginNotFoundError, Scores
from moviola.score import make_correction
from moviola.score.named import require_corrections

RNG = np.random.default_rng(4)

OWN = '''
"""Corrections of somebody's own."""

from moviola.score import CSLS


def centred(scores):
    return scores.matrix - scores.matrix.mean(axis=0)


def learnt(scores, bank=None):
    return scores.matrix - (scores if bank is None else bank).matrix.mean(axis=0)


def wrong(scores):
    return scores.matrix[:1]


class Halved:
    transductive = False

    def __call__(self, scores):
        return scores.matrix / 2


Wide = CSLS
number = 3
'''


@pytest.fixture
def own(tmp_path, monkeypatch):
    (tmp_path / "own_corrections.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)


def _scores(rows: int) -> Scores:
    return Scores([f"q{i}" for i in range(rows)], list("abcd"), RNG.normal(size=(rows, 4)))


def test_a_function_of_ones_own_sees_the_test_and_says_so(own):
    scores = _scores(5)
    correct = make_correction("own_corrections:centred")
    found = correct(scores)
    np.testing.assert_allclose(found.matrix.mean(axis=0), 0, atol=1e-12)
    assert correct.transductive
    assert found.notes[-1].startswith("transductive: own_corrections:centred")


def test_a_function_that_takes_a_bank_is_inductive_with_one(own):
    scores, bank = _scores(5), _scores(9)
    found = make_correction("own_corrections:learnt", bank)(scores)
    np.testing.assert_allclose(found.matrix, scores.matrix - bank.matrix.mean(axis=0))
    assert found.notes[-1].startswith("inductive")
    assert make_correction("own_corrections:learnt").transductive


def test_classes_are_made_with_the_bank_that_they_take(own):
    scores, bank = _scores(5), _scores(9)
    halved = make_correction("own_corrections:Halved", bank)
    assert not halved.transductive
    np.testing.assert_allclose(halved(scores).matrix, scores.matrix / 2)
    built_in = make_correction("csls", bank)(scores).matrix
    np.testing.assert_array_equal(
        make_correction("own_corrections:Wide", bank)(scores).matrix, built_in
    )


def test_what_is_no_correction_is_refused(own):
    with pytest.raises(PluginNotFoundError, match="a correction is a function"):
        make_correction("own_corrections:number")
    with pytest.raises(PluginNotFoundError, match="cannot be imported"):
        require_corrections(["own_corrections:absent"], has_bank=False)
    with pytest.raises(ValueError, match="gave no scores"):
        make_correction("own_corrections:wrong")(_scores(5))
    with pytest.raises(ValueError, match="Did you mean 'csls'"):
        make_correction("cslss")
    with pytest.raises(ValueError, match="--bank is what a correction learns from"):
        require_corrections(["own_corrections:centred"], has_bank=True)
    require_corrections(["own_corrections:learnt"], has_bank=True)
