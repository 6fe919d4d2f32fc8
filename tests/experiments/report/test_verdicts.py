from __future__ import annotations

from moviola.align.training.history import Cosines, Epoch, History
from moviola.experiments.report.verdicts import judge

CHANCE = 0.0075


def _history(train: list[float], val: list[float], constant: float = 0.25) -> History:
    cosines = Cosines(0.5, 0.02, 0.5, 0.02)
    epochs = [
        Epoch(number, 100 * number, train[number - 1] if number else None, loss, {}, cosines)
        for number, loss in enumerate(val)
    ]
    return History(epochs, constant, len(epochs) - 1)


def test_one_vector_for_all_is_a_collapse() -> None:
    found = judge(
        _history([0.26, 0.2505], [0.5, 0.253, 0.25]), Cosines(0.5, 0, 0.5, 0), 0.0075, CHANCE
    )
    assert found.outcome == "collapsed"
    assert "COLLAPSED" in found.sentence
    assert "0.2500" in found.sentence


def test_a_plateau_is_a_constant_answer() -> None:
    found = judge(
        _history([0.26, 0.2505], [0.5, 0.253, 0.251]),
        Cosines(0.55, 0.03, 0.55, 0.03),
        0.008,
        CHANCE,
    )
    assert found.outcome == "constant"


def test_falling_training_and_rising_validation_is_learning_by_heart() -> None:
    found = judge(
        _history([0.25, 0.2], [0.5, 0.253, 0.31]), Cosines(0.5, 0.2, 0.5, 0.2), 0.008, CHANCE
    )
    assert found.outcome == "memorised"
    assert "by heart" in found.sentence


def test_a_training_that_ends_where_it_began_has_not_moved() -> None:
    found = judge(
        _history([0.503, 0.501], [0.505, 0.503, 0.504], 0.5),
        Cosines(0.1, 0.02, 0.1, 0.02),
        0.0079,
        CHANCE,
    )
    assert found.outcome == "unmoved"


def test_ranking_is_learning_whatever_the_loss_says() -> None:
    found = judge(
        _history([0.26, 0.2505], [0.5, 0.253, 0.25]), Cosines(0.6, 0.1, 0.5, 0.1), 0.3, CHANCE
    )
    assert found.outcome == "learned"
    assert "40.0 times chance" in found.sentence


def test_a_loss_far_above_the_constant_s_is_no_plateau() -> None:
    history = _history([1.5, 1.5], [0.5, 1.5, 1.5])
    found = judge(history, Cosines(-0.5, 0.8, -0.5, 0.8), 0.0075, CHANCE)
    assert found.outcome == "astray"
