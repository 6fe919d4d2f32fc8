"""Corrections for hubs: what they learn from, what they say, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from moviola.core import Qrels, Scores
from moviola.evaluate import evaluate
from moviola.pipeline.evaluate.comparing import compare_reports
from moviola.pipeline.evaluate.correcting import count_seen, measure_corrected
from moviola.pipeline.evaluate.evaluate import evaluate_vectors
from moviola.pipeline.evaluate.evaluation import EvaluateOptions, as_object
from moviola.pipeline.evaluate.given import evaluate_similarity, evaluate_trec
from moviola.pipeline.evaluate.reporting import write_report
from moviola.score import CSLS, NNN, DualSoftmax, InvertedSoftmax, QBNorm, Sinkhorn

VIDEOS = 60
PLAIN = EvaluateOptions(resamples=20)
WITH_BANK = {
    "csls": CSLS,
    "inverted-softmax": InvertedSoftmax,
    "nnn": NNN,
    "qb-norm": QBNorm,
    "sinkhorn": Sinkhorn,
}
WITHOUT = {"csls": CSLS, "dual-softmax": DualSoftmax, "inverted-softmax": InvertedSoftmax}


def _rows() -> dict[str, np.ndarray]:
    """Videos of which some are near to all, one text each, and 300 training captions."""
    rng = np.random.default_rng(3)
    own = rng.normal(size=(VIDEOS, 24))
    common = rng.normal(size=24)
    pull = 1.2 * np.abs(rng.normal(size=(VIDEOS, 1)))

    def ask(which: np.ndarray) -> np.ndarray:
        return own[which] + 0.9 * rng.normal(size=(len(which), 24)) + 0.8 * common

    made = {
        "v": own + pull * common,
        "t": ask(np.arange(VIDEOS)),
        "b": ask(rng.integers(0, VIDEOS, 300)),
    }
    unit = {key: rows / np.linalg.norm(rows, axis=1, keepdims=True) for key, rows in made.items()}
    return {
        **{key: rows.astype(np.float32) for key, rows in made.items()},
        "s": (unit["t"] @ unit["v"].T).astype(np.float32),
        "sb": (unit["b"] @ unit["v"].T).astype(np.float32),
    }


@pytest.fixture
def files(tmp_path) -> dict[str, str]:
    for key, rows in _rows().items():
        np.save(tmp_path / f"{key}.npy", rows)
    return {key: str(tmp_path / f"{key}.npy") for key in _rows()}


def _scores(matrix: np.ndarray) -> Scores:
    queries, gallery = ([str(number) for number in range(side)] for side in matrix.shape)
    return Scores(queries, gallery, matrix)


def _diagonal() -> Qrels:
    return Qrels({str(row): frozenset([str(row)]) for row in range(VIDEOS)})


@pytest.mark.parametrize("name", WITH_BANK)
def test_a_correction_with_a_bank_is_measured_beside_the_headline(files, name):
    asked = replace(PLAIN, correct=(name,), bank=files["sb"])
    found = evaluate_similarity(files["s"], relevance=None, asked=asked)
    plain = evaluate_similarity(files["s"], relevance=None, asked=PLAIN)
    rows = _rows()
    by_hand = evaluate(WITH_BANK[name](_scores(rows["sb"]))(_scores(rows["s"])), _diagonal())
    told = as_object(found)
    (corrected,) = told.pop("corrected").values()
    assert told == as_object(plain)
    assert corrected["t2v"] == dict(by_hand.t2v.aggregates)
    assert corrected["transductive"] is False
    assert "v2t" not in corrected
    assert "bank of 300" in corrected["note"]
    assert "needs a bank of training videos" in corrected["note"]
    assert corrected["t2v"] != told["t2v"]


@pytest.mark.parametrize("name", WITHOUT)
def test_a_correction_without_a_bank_says_what_it_is_and_has_both_directions(files, name):
    found = evaluate_similarity(files["s"], relevance=None, asked=replace(PLAIN, correct=(name,)))
    (corrected,) = found.corrected
    scores = _scores(_rows()["s"])
    there, back = WITHOUT[name](), WITHOUT[name]()
    assert corrected.transductive
    assert corrected.to_json()["note"].startswith("transductive")
    assert dict(corrected.t2v.aggregates) == dict(
        evaluate(there(scores), _diagonal()).t2v.aggregates
    )
    turned = back(scores.transposed()).transposed()
    assert dict(corrected.v2t.aggregates) == dict(evaluate(turned, _diagonal()).v2t.aggregates)


@pytest.mark.parametrize("keep_scores", [True, False])
def test_a_bank_of_vectors_is_scored_against_the_same_gallery(files, keep_scores):
    asked = replace(PLAIN, correct=("qb-norm", "dual-softmax", "qb-norm"), bank=files["b"])
    found = evaluate_vectors(files["t"], files["v"], keep_scores=keep_scores, asked=asked)
    given = evaluate_similarity(files["s"], relevance=None, asked=replace(asked, bank=files["sb"]))
    assert [each.name for each in found.corrected] == ["qb-norm", "dual-softmax"]
    for one, other in zip(found.corrected, given.corrected, strict=True):
        assert one.to_json() == other.to_json()
    assert found.inputs["bank"].endswith("b.npy")


def test_only_equal_corrected_scores_are_tied(files):
    matrix = _rows()["s"]
    matrix[:, 1] = matrix[:, 0] + np.float32(1e-7)
    tolerant = replace(PLAIN, correct=("csls",), tolerance=0.5)
    (found,) = measure_corrected(_scores(matrix), _diagonal(), None, tolerant)
    assert found.t2v.tied == 0


def test_scores_that_are_no_cosines_are_told(files):
    asked = replace(PLAIN, correct=("dual-softmax", "csls"))
    warm, plain = measure_corrected(_scores(_rows()["s"] * 100), _diagonal(), None, asked)
    assert "temperature of dual-softmax, 0.01, is meant for cosines" in " ".join(warm.notes)
    assert len(plain.notes) == 1


def test_a_bank_that_is_the_test_is_refused_and_a_part_of_it_is_told(files, tmp_path):
    asked = replace(PLAIN, correct=("nnn",), bank=files["t"])
    with pytest.raises(ValueError, match="the bank holds every text of the test"):
        evaluate_vectors(files["t"], files["v"], asked=asked)
    rows = _rows()
    mixed = tmp_path / "mixed.npy"
    np.save(mixed, np.concatenate([rows["sb"], rows["s"][:7]]).astype(np.float64))
    asked = replace(asked, bank=str(mixed))
    (found,) = evaluate_similarity(files["s"], relevance=None, asked=asked).corrected
    assert "7 of the 60 texts are in the bank as well" in found.notes[-1]
    assert count_seen([b"a", b"b"], [b"c", b"b"]) == 1


@pytest.mark.parametrize(
    ("correct", "bank", "said"),
    [
        (("qbnorm",), None, "csls, dual-softmax, inverted-softmax, nnn, qb-norm, sinkhorn"),
        (("qbnorm",), None, "Did you mean 'qb-norm'"),
        (("something else",), None, "there is no correction"),
        (("nnn",), None, "nnn learns from training captions; give them with --bank"),
        ((), "b.npy", "give one with --correct"),
        (("dual-softmax",), "b.npy", "give one with --correct"),
    ],
)
def test_corrections_that_cannot_be_are_refused_before_anything_is_read(correct, bank, said):
    with pytest.raises(ValueError, match=said):
        EvaluateOptions(correct=correct, bank=bank)


def test_a_bank_of_another_gallery_and_a_run_are_refused(files, tmp_path):
    asked = replace(PLAIN, correct=("nnn",), bank=files["b"])
    with pytest.raises(ValueError, match=r"\(300, 24\); .* here are 60 videos"):
        evaluate_similarity(files["s"], relevance=None, asked=asked)
    asked = replace(asked, bank=files["s"])
    with pytest.raises(ValueError, match="captions of the bank have 60 numbers a vector"):
        evaluate_vectors(files["t"], files["v"], asked=asked)
    with pytest.raises(ValueError, match="a run lacks most scores"):
        evaluate_trec(tmp_path / "run", relevance=tmp_path / "qrels", asked=asked)


def test_a_correction_of_ones_own_is_refused_where_the_matrix_is_too_large(files, monkeypatch):
    monkeypatch.setattr("moviola.pipeline.evaluate.correcting._MOST", VIDEOS)
    asked = replace(PLAIN, correct=("csls", "copy:deepcopy"))
    with pytest.raises(ValueError, match=r"corrects all 3,600 scores at once, which are more"):
        evaluate_vectors(files["t"], files["v"], asked=asked)
    asked = replace(PLAIN, correct=("csls",))
    assert evaluate_vectors(files["t"], files["v"], asked=asked).corrected


def test_a_report_keeps_kinds_apart_and_compares_headlines(files, tmp_path):
    asked = replace(PLAIN, correct=("dual-softmax", "qb-norm"), bank=files["sb"])
    for name, how in (("plain", PLAIN), ("corrected", asked)):
        found = evaluate_similarity(files["s"], relevance=None, asked=how)
        write_report(found, tmp_path / name)
    results = json.loads((tmp_path / "corrected" / "results.json").read_text())
    assert list(results["corrected"]) == ["dual-softmax", "qb-norm"]
    assert results["corrected"]["qb-norm"]["intervals"].keys() == {"t2v"}
    assert results["corrected"]["dual-softmax"]["intervals"].keys() == {"t2v", "v2t"}
    manifest = json.loads((tmp_path / "corrected" / "manifest.json").read_text())
    assert "sha256" in manifest["inputs"]["bank"]
    assert manifest["corrected"].keys() == {"dual-softmax", "qb-norm"}
    page = (tmp_path / "corrected" / "report.html").read_text()
    places = [page.index(said) for said in ("Both directions", "Inductive", "qb-norm")]
    places += [page.index('class="apart"'), page.index("Not comparable with the headline")]
    places.append(page.index("dual-softmax"))
    assert places == sorted(places)
    assert "Corrected for hubs" not in (tmp_path / "plain" / "report.html").read_text()
    compared = compare_reports(tmp_path / "plain", tmp_path / "corrected")
    assert not compared.unlike
    assert {each.difference for each in compared.sides["t2v"].values()} == {0.0}
    for file in ("per_query.parquet", "run.trec"):
        assert (
            Path(tmp_path / "plain" / file).read_bytes()
            == (tmp_path / "corrected" / file).read_bytes()
        )
