"""Options of corrections on the command line, and corrections without a matrix."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from moviola.core import Clip, Embeddings, Qrels, Readout, Scores, Space, Span, Text
from moviola.pipeline.evaluate import evaluate as evaluating
from moviola.pipeline.evaluate.correcting import measure_corrected
from moviola.pipeline.evaluate.correction_names import parse_correction
from moviola.pipeline.evaluate.evaluate import evaluate_vectors
from moviola.pipeline.evaluate.evaluation import EvaluateOptions
from moviola.score import CSLS, NNN, DualSoftmax, QBNorm, Sinkhorn, cosine, score_blocks
from moviola.score.part import PartOfQueries

SPACE, READ = Space("stub", "r1", "w1", 16), Readout("as it is")


def _rows(seed: int, count: int) -> np.ndarray:
    return (np.random.default_rng(seed).normal(size=(count, 16)) + 0.6).astype(np.float32)


def _texts(rows: np.ndarray) -> Embeddings[Text]:
    items = [Text(f"t{number}", "") for number in range(len(rows))]
    return Embeddings.from_rows(items, list(rows[:, None]), SPACE, READ)


def _clips(rows: np.ndarray) -> Embeddings[Clip]:
    items = [Clip(f"v{number}", Path(), Span(0, 1)) for number in range(len(rows))]
    return Embeddings.from_rows(items, list(rows[:, None]), SPACE, READ)


def _bank(count: int = 40, gallery: int = 12) -> Scores:
    return cosine(_texts(_rows(5, count)), _clips(_rows(2, gallery)))


@pytest.mark.parametrize(
    ("spec", "made"),
    [
        ("qb-norm,k=5,temperature=0.1", lambda bank: QBNorm(bank, 0.1, 5)),
        ("nnn, k = 3, weight=0.25", lambda bank: NNN(bank, 3, 0.25)),
        ("csls,k=4", lambda bank: CSLS(bank, 4)),
        ("dual-softmax,temperature=0.02", lambda _: DualSoftmax(0.02)),
        ("sinkhorn,iterations=3,temperature=1", lambda bank: Sinkhorn(bank, 1.0, 3)),
    ],
)
def test_options_reach_the_correction(spec, made):
    bank = _bank()
    assert repr(parse_correction(spec).make(bank)) == repr(made(bank))


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("qb-norm,weight=1", "qb-norm has no option 'weight'; .* bank, k, temperature"),
        ("qb-norm,k", "OPTION=NUMBER"),
        ("qb-norm,k=2.5", "k is a whole number, not '2.5'"),
        ("qb-norm,temperature=warm", "temperature is a number"),
        ("qb-norm,temperature=nan", "must be above 0"),
        ("csls,k=0", "must be above 0"),
        ("csls,bank=10", "give one with --bank"),
        ("moviola.score:CSLS,k=3", "takes no options"),
        ("qbnorm,k=3", "no correction 'qbnorm'.*Did you mean 'qb-norm'"),
    ],
)
def test_what_is_not_understood_is_refused(spec, words):
    bank = "bank.npy" if spec.startswith("qb-norm") else None
    with pytest.raises(ValueError, match=words):
        EvaluateOptions(correct=(spec,), bank=bank)


def test_a_part_of_the_bank_is_drawn_once_and_for_all():
    bank = _bank()
    first, again = (parse_correction("csls,bank=7").make(bank) for _ in range(2))
    assert first.bank.queries == again.bank.queries
    assert len(first.bank.queries) == 7
    rows = [bank.queries.index(name) for name in first.bank.queries]
    part = Scores(first.bank.queries, bank.gallery, bank.matrix[rows])
    scores = cosine(_texts(_rows(1, 9)), _clips(_rows(2, 12)))
    np.testing.assert_array_equal(first(scores).matrix, CSLS(part)(scores).matrix)
    assert parse_correction("csls,bank=99").make(bank).bank is bank


def test_a_part_of_queries_is_that_of_the_matrix():
    bank = _bank()
    chosen = np.array([3, 5, 8])
    for part in (PartOfQueries(bank, chosen), PartOfQueries(score_blocks_of_bank(), chosen)):
        np.testing.assert_allclose(part.block(slice(1, 3)), bank.matrix[[5, 8]], rtol=1e-5)
        turned = part.transposed()
        assert (turned.queries, turned.gallery) == (part.gallery, part.queries)
        np.testing.assert_allclose(turned.block(slice(0, 2)), bank.matrix[chosen, :2].T, rtol=1e-5)


def score_blocks_of_bank():
    return score_blocks(_texts(_rows(5, 40)), _clips(_rows(2, 12)))


SPECS = ("csls", "inverted-softmax", "sinkhorn", "dual-softmax", "nnn,k=4", "qb-norm,k=2,bank=30")


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("with_bank", [False, True])
def test_blocks_give_what_the_matrix_gives(spec, with_bank, monkeypatch):
    if spec.startswith(("nnn", "qb-norm")) and not with_bank:
        pytest.skip("it needs a bank")
    if spec == "dual-softmax" and with_bank:
        pytest.skip("it takes none")
    monkeypatch.setattr("moviola.score.corrections._BLOCK", 50)
    texts, clips = _texts(_rows(1, 30)), _clips(_rows(2, 30))
    qrels = Qrels({f"t{number}": frozenset([f"v{number}"]) for number in range(30)})
    asked = EvaluateOptions(resamples=0, correct=(spec,), bank="b.npy" if with_bank else None)
    bank = _texts(_rows(5, 40))
    blocks = score_blocks(texts, clips), score_blocks(bank, clips) if with_bank else None
    whole = cosine(texts, clips), cosine(bank, clips) if with_bank else None
    (ours,) = measure_corrected(blocks[0], qrels, blocks[1], asked)
    (theirs,) = measure_corrected(whole[0], qrels, whole[1], asked)
    by_hand = evaluating.measure_scores(
        parse_correction(spec).make(whole[1])(whole[0]), qrels, EvaluateOptions(resamples=0)
    )
    assert ours.notes == theirs.notes
    for key, side in theirs.sides.items():
        assert ours.sides[key].aggregates == pytest.approx(side.aggregates)
    assert ours.t2v.aggregates == pytest.approx(by_hand.t2v.aggregates)


def test_large_tests_are_corrected_without_their_matrix(tmp_path, monkeypatch):
    monkeypatch.setattr(evaluating, "_MANY", 0)
    monkeypatch.setattr("moviola.score.corrections._BLOCK", 1 << 18)
    monkeypatch.setattr("moviola.evaluate.retrieval._BLOCK_BYTES", 1 << 20)
    count = 3000
    for name, seed in (("t", 1), ("v", 2), ("b", 3)):
        np.save(tmp_path / f"{name}.npy", _rows(seed, count))
    t, v, b = (str(tmp_path / f"{name}.npy") for name in "tvb")
    asked = EvaluateOptions(resamples=0, correct=("qb-norm,k=2", "csls", "nnn"), bank=b)
    tracemalloc.start()
    found = evaluate_vectors(t, v, keep_scores=False, asked=asked)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.scores is None
    assert [each.name for each in found.corrected] == ["qb-norm,k=2", "csls", "nnn"]
    assert peak < count * count * 4  # one matrix in float32; there would be several
