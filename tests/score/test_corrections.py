from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moviola.core import Qrels, Scores
from moviola.evaluate import evaluate
from moviola.score import (
    CSLS,
    NNN,
    Correction,
    DualSoftmax,
    InvertedSoftmax,
    QBNorm,
    Sinkhorn,
    is_transductive,
)

Maker = Callable[[Scores], Correction]

INDUCTIVE: dict[str, Maker] = {
    "inverted softmax": InvertedSoftmax,
    "QB-Norm": QBNorm,
    "CSLS": CSLS,
    "NNN": NNN,
    "Sinkhorn": Sinkhorn,
}
TRANSDUCTIVE: dict[str, Correction] = {
    "inverted softmax": InvertedSoftmax(),
    "dual softmax": DualSoftmax(),
    "CSLS": CSLS(),
    "Sinkhorn": Sinkhorn(),
}


def _scores(matrix: np.ndarray, prefix: str = "t") -> Scores:
    return Scores(
        [f"{prefix}{row}" for row in range(matrix.shape[0])],
        [f"v{column}" for column in range(matrix.shape[1])],
        matrix,
    )


def _cosines(seed: int, queries: int, clips: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.2, 0.9, (queries, clips)).astype(np.float32)


def _order(matrix: np.ndarray) -> np.ndarray:
    return np.argsort(-matrix, axis=1, kind="stable")


@pytest.mark.parametrize("bank_size", [0, 7])
def test_inverted_softmax_orders_as_the_ratio_of_the_paper(bank_size: int) -> None:
    test, bank = _cosines(1, 6, 5), _cosines(2, bank_size or 6, 5)
    learnt = bank if bank_size else test
    naive = np.empty((6, 5))
    for query in range(6):
        for clip in range(5):
            total = sum(np.exp(20.0 * float(learnt[row, clip])) for row in range(len(learnt)))
            naive[query, clip] = np.exp(20.0 * float(test[query, clip])) / total
    made = InvertedSoftmax(_scores(bank, "b") if bank_size else None)(_scores(test)).matrix
    assert np.allclose(made, 0.05 * np.log(naive * len(learnt)))
    assert (_order(made) == _order(naive)).all()


def test_dual_softmax_is_the_product_with_the_softmax_over_queries() -> None:
    test = _cosines(3, 4, 6)
    exact = test.astype(np.float64)
    prior = np.exp(100 * exact) / np.exp(100 * exact).sum(axis=0)
    assert np.allclose(DualSoftmax()(_scores(test)).matrix, exact * prior, rtol=1e-9)


@pytest.mark.parametrize("nearest", [1, 2])
def test_qbnorm_corrects_only_queries_whose_first_clip_is_a_hub(nearest: int) -> None:
    test, bank = _cosines(4, 30, 12), _cosines(5, 5, 12)
    activated = set()
    for row in bank:
        activated |= set(np.argsort(-row)[:nearest].tolist())
    made = QBNorm(_scores(bank, "b"), nearest=nearest)(_scores(test)).matrix
    whole = InvertedSoftmax(_scores(bank, "b"))(_scores(test)).matrix
    seen = set()
    for query in range(30):
        is_hub = int(test[query].argmax()) in activated
        expected = whole[query] if is_hub else test[query].astype(np.float64)
        assert np.array_equal(made[query], expected)
        seen.add(is_hub)
    assert seen == {True, False}


@pytest.mark.parametrize("neighbours", [1, 3, 100])
def test_csls_and_nnn_by_naive_loops(neighbours: int) -> None:
    test, bank = _cosines(6, 8, 5).astype(np.float64), _cosines(7, 9, 5).astype(np.float64)

    def nearest(values: np.ndarray) -> float:
        return float(np.mean(sorted(values)[-neighbours:]))

    own, with_bank, nnn = (np.empty((8, 5)) for _ in range(3))
    for query in range(8):
        for clip in range(5):
            score = test[query, clip]
            own[query, clip] = 2 * score - nearest(test[query]) - nearest(test[:, clip])
            with_bank[query, clip] = 2 * score - nearest(bank[:, clip])
            nnn[query, clip] = score - 0.5 * nearest(bank[:, clip])
    learnt = _scores(bank, "b")
    assert np.allclose(CSLS(neighbours=neighbours)(_scores(test)).matrix, own)
    assert np.allclose(CSLS(learnt, neighbours)(_scores(test)).matrix, with_bank)
    assert np.allclose(NNN(learnt, neighbours)(_scores(test)).matrix, nnn)


def test_sinkhorn_gives_every_query_and_every_clip_its_share() -> None:
    test = _cosines(8, 12, 9)
    plan = np.exp(Sinkhorn(iterations=500)(_scores(test)).matrix / 0.05) / (12 * 9)
    assert np.allclose(plan.sum(axis=1), 1 / 12)
    assert np.allclose(plan.sum(axis=0), 1 / 9)


def test_a_sinkhorn_bank_lends_its_clips_potentials() -> None:
    bank = _scores(_cosines(9, 20, 6), "b")
    one, two = _scores(_cosines(10, 3, 6)), _scores(_cosines(11, 3, 6))
    taken = [made.matrix - part.matrix for part in (one, two) for made in [Sinkhorn(bank)(part)]]
    assert np.allclose(taken[0], taken[1])
    assert np.allclose(taken[0], taken[0][:1])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(sorted(INDUCTIVE)), st.integers(2, 12))
def test_who_else_asks_does_not_matter_to_an_inductive_correction(
    seed: int, name: str, queries: int
) -> None:
    correct = INDUCTIVE[name](_scores(_cosines(seed, 15, 7), "b"))
    assert not correct.transductive
    test = _cosines(seed + 1, queries, 7)
    whole = correct(_scores(test)).matrix
    alone = correct(_scores(test[:1])).matrix
    assert np.array_equal(whole[:1], alone)


@pytest.mark.parametrize("name", sorted(TRANSDUCTIVE))
def test_a_transductive_correction_says_so_wherever_its_numbers_are_shown(name: str) -> None:
    correct = TRANSDUCTIVE[name]
    assert correct.transductive
    scores = Scores(["t"], ["v"], np.ones((1, 1), np.float32), notes=("unaligned",))
    made = correct(scores)
    assert made.notes == ("unaligned", f"transductive: {name} looked at all 1 queries of the test")
    assert is_transductive(made)
    assert not is_transductive(scores)
    result = evaluate(made, Qrels({"t": frozenset({"v"})}), resamples=0)
    assert any(note.startswith("transductive") for note in result.notes)


@pytest.mark.parametrize("name", sorted(INDUCTIVE))
def test_an_inductive_correction_names_its_bank(name: str) -> None:
    made = INDUCTIVE[name](_scores(_cosines(1, 4, 3), "b"))(_scores(_cosines(2, 5, 3)))
    assert made.notes == (f"inductive: {name} with a bank of 4 training queries",)
    assert not is_transductive(made)


@pytest.mark.parametrize("name", sorted(INDUCTIVE))
def test_corrected_scores_are_float64_so_that_ties_are_exact(name: str) -> None:
    made = INDUCTIVE[name](_scores(_cosines(1, 4, 3), "b"))(_scores(_cosines(2, 5, 3)))
    assert made.matrix.dtype == np.float64
    result = evaluate(made, Qrels({"t0": frozenset({"v0"})}), resamples=0)
    assert result.tolerance == 0.0


@pytest.mark.parametrize("name", sorted(INDUCTIVE))
def test_a_bank_about_other_clips_is_refused(name: str) -> None:
    bank = _scores(_cosines(1, 4, 3), "b")
    other = Scores(["t0"], ["v2", "v1", "v0"], np.ones((1, 3)))
    with pytest.raises(ValueError, match="same gallery"):
        INDUCTIVE[name](bank)(other)
    with pytest.raises(ValueError, match="no captions"):
        INDUCTIVE[name](_scores(np.empty((0, 3)), "b"))(_scores(_cosines(2, 2, 3)))


@pytest.mark.parametrize(
    "make",
    [
        lambda: InvertedSoftmax(temperature=0),
        lambda: DualSoftmax(temperature=-1),
        lambda: DualSoftmax(temperature=float("nan")),
        lambda: CSLS(neighbours=0),
        lambda: Sinkhorn(iterations=0),
        lambda: NNN(_scores(np.ones((1, 1))), weight=0),
        lambda: QBNorm(_scores(np.ones((1, 1))), nearest=0),
    ],
)
def test_parameters_that_mean_nothing_are_refused(make: Callable[[], Correction]) -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        make()


@pytest.mark.parametrize("name", sorted(TRANSDUCTIVE))
def test_a_small_temperature_or_huge_score_overflows_nothing(name: str) -> None:
    made = TRANSDUCTIVE[name](_scores(1e4 * _cosines(1, 4, 3)))
    assert np.isfinite(made.matrix).all()


def _world(seed: int, *, hubs: float, clips: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Cosines of one caption a clip, and of a bank; `hubs` is how near some clips are to all."""
    rng = np.random.default_rng(seed)
    videos = rng.normal(size=(clips, 32))
    nearness = hubs * np.abs(rng.normal(size=clips))

    def ask(which: np.ndarray) -> np.ndarray:
        texts = videos[which] + 1.6 * rng.normal(size=(len(which), 32))
        texts /= np.linalg.norm(texts, axis=1, keepdims=True)
        unit = videos / np.linalg.norm(videos, axis=1, keepdims=True)
        return texts @ unit.T + nearness

    return ask(np.arange(clips)), ask(rng.integers(0, clips, 1000))


def _first_right(matrix: np.ndarray, meant: np.ndarray) -> np.ndarray:
    return matrix.argmax(axis=1) == meant


@pytest.mark.parametrize("name", sorted(INDUCTIVE))
def test_inductive_corrections_help_where_there_are_hubs(name: str) -> None:
    test, bank = _world(0, hubs=0.25)
    meant = np.arange(len(test))
    made = INDUCTIVE[name](_scores(bank, "b"))(_scores(test)).matrix
    assert _first_right(made, meant).mean() > _first_right(test, meant).mean() + 0.05


@pytest.mark.parametrize("name", sorted(TRANSDUCTIVE))
def test_transductive_gains_come_from_the_test_being_one_to_one(name: str) -> None:
    correct = DualSoftmax(temperature=0.05) if name == "dual softmax" else TRANSDUCTIVE[name]
    raw, once, again = [], [], []
    for seed in range(4):
        test, _ = _world(seed, hubs=0.0, clips=100)
        meant = np.arange(len(test))
        raw.append(_first_right(test, meant).mean())
        once.append(_first_right(correct(_scores(test)).matrix, meant).mean())
        # The same questions, but some of them are asked 150 times. Each counts once.
        popular = np.concatenate([meant, np.repeat(meant[::5], 149)])
        made = correct(_scores(test[popular])).matrix[: len(test)]
        again.append(_first_right(made, meant).mean())
    # No clip was a hub: the gain is the knowledge that every clip is asked for exactly once.
    assert np.mean(once) > np.mean(raw) + 0.01
    # Where that does not hold, most of it is gone, or more than all of it.
    assert np.mean(again) < (np.mean(raw) + np.mean(once)) / 2


@pytest.mark.parametrize("name", sorted(INDUCTIVE))
def test_repeated_queries_change_nothing_for_an_inductive_correction(name: str) -> None:
    test, bank = _world(0, hubs=0.0)
    popular = np.concatenate([np.arange(len(test)), np.repeat(np.arange(40), 49)])
    correct = INDUCTIVE[name](_scores(bank, "b"))
    once, again = correct(_scores(test)).matrix, correct(_scores(test[popular])).matrix
    assert np.array_equal(again[: len(test)], once)
