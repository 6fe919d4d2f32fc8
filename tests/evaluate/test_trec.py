"""TREC files, and runs measured as trec_eval measures them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moviola.core import DatasetError, Qrels, Scores
from moviola.evaluate import evaluate
from moviola.evaluate.runs import evaluate_run
from moviola.evaluate.trec import qrels_lines, read_qrels, read_run, run_lines

IDS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\ufeff"), min_size=1, max_size=8
)
SCORES = st.floats(allow_nan=False, allow_infinity=False)


def _written(folder: Path, name: str, lines) -> Path:
    path = folder / name
    path.write_text("".join(lines), encoding="utf-8", newline="")
    return path


@given(st.dictionaries(IDS, st.dictionaries(IDS, SCORES, min_size=1, max_size=3), min_size=1))
def test_a_run_comes_back_as_it_was(tmp_path_factory, run):
    lines = run_lines([(query, items.items()) for query, items in run.items()], tag="a b")
    assert read_run(_written(tmp_path_factory.mktemp("r"), "run", lines)) == run


@given(st.dictionaries(IDS, st.frozensets(IDS, min_size=1, max_size=3), min_size=1))
def test_qrels_come_back_as_they_were(tmp_path_factory, relevant):
    path = _written(tmp_path_factory.mktemp("q"), "qrels", qrels_lines(Qrels(relevant)))
    assert read_qrels(path).relevant == relevant


def test_an_empty_id_cannot_be_written():
    with pytest.raises(ValueError, match="empty id"):
        list(run_lines([("", [("a", 1.0)])], tag="t"))


def test_grades_above_0_are_relevant_and_blank_lines_nothing(tmp_path):
    path = _written(tmp_path, "q", ["a 0 x 2\n\n", "a\t0\ty\t0\r\n", "b 0 x -1\n", "b 0 y 0.5"])
    assert read_qrels(path).relevant == {"a": {"x"}, "b": {"y"}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a Q0 x 1 0.5 t\na Q0 y 2 0.5\n", "line 2: 5 fields"),
        ("a Q0 x 1 high t\n", "line 1: 'high' is no number"),
        ("a Q0 x 1 nan t\n", "line 1: 'nan' is not finite"),
        ("a Q0 x 1 0.5 t\n\na Q0 x 2 0.4 t\n", "line 3: 'x' comes a second time"),
        ("", "empty run"),
    ],
)
def test_bad_runs_are_refused(tmp_path, text, said):
    with pytest.raises(DatasetError, match=said):
        read_run(_written(tmp_path, "run", [text]))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a x 1\n", "line 1: 3 fields"),
        ("a 0 x yes\n", "line 1: 'yes' is no number"),
        ("a 0 x 1\na 0 x 0\n", "line 2: 'x' has another relevance"),
        ("a 0 x 0\n", "nothing is relevant"),
        ("", "nothing is relevant"),
    ],
)
def test_bad_qrels_are_refused(tmp_path, text, said):
    with pytest.raises(DatasetError, match=said):
        read_qrels(_written(tmp_path, "qrels", [text]))


def _case(seed: int, texts: int, videos: int) -> tuple[np.ndarray, Qrels]:
    rng = np.random.default_rng(seed)
    chosen = {
        f"t{text}": frozenset(f"v{v}" for v in rng.choice(videos, rng.integers(1, 4), False))
        for text in range(texts)
    }
    return rng.normal(size=(texts, videos)), Qrels(chosen)


def _run_of(matrix: np.ndarray, depth: int) -> dict[str, dict[str, float]]:
    best = np.argsort(-matrix, axis=1)[:, :depth]
    return {
        f"t{row}": {f"v{column}": float(matrix[row, column]) for column in columns}
        for row, columns in enumerate(best)
    }


@pytest.mark.parametrize("seed", range(5))
def test_a_whole_run_is_the_matrix(seed):
    matrix, qrels = _case(seed, 12, 9)
    queries, gallery = [f"t{i}" for i in range(12)], [f"v{i}" for i in range(9)]
    ours = evaluate_run(_run_of(matrix, 9), qrels, resamples=0)
    theirs = evaluate(Scores(queries, gallery, matrix), qrels, resamples=0)
    assert ours.t2v.aggregates == pytest.approx(dict(theirs.t2v.aggregates))
    assert ours.v2t.aggregates == pytest.approx(dict(theirs.v2t.aggregates))
    assert ours.notes == ()


@pytest.mark.parametrize("seed", range(5))
def test_a_cut_run_is_read_as_trec_eval_reads_it(seed):
    matrix, qrels = _case(seed, 15, 20)
    run = _run_of(matrix, 6)
    found = evaluate_run(run, qrels, resamples=0)
    precision, reciprocal, hits = [], [], []
    for query, relevant in qrels.relevant.items():
        ranked = sorted(run[query], key=lambda item: -run[query][item])
        ranks = [rank for rank, item in enumerate(ranked, start=1) if item in relevant]
        precision.append(sum((i + 1) / rank for i, rank in enumerate(ranks)) / len(relevant))
        reciprocal.append(1 / ranks[0] if ranks else 0.0)
        hits.append(bool(ranks) and ranks[0] <= 5)
    assert found.t2v["mAP"] == pytest.approx(np.mean(precision), abs=1e-9)
    assert found.t2v["MRR"] == pytest.approx(np.mean(reciprocal), abs=1e-9)
    assert found.t2v["R@5"] == pytest.approx(100 * np.mean(hits), abs=1e-9)
    assert found.t2v["MnR"] <= 20
    assert "never found" in found.notes[0]


def test_queries_that_the_run_lacks_have_failed():
    run = {"a": {"x": 1.0, "y": 0.5}}
    found = evaluate_run(run, Qrels({"a": frozenset("x"), "b": frozenset("y")}), resamples=0)
    assert found.t2v["R@1"] == 50
    assert "1 of 2 queries are not in the run" in found.notes[0]
    with pytest.raises(ValueError, match="a tie tolerance is a share of at least 0"):
        evaluate_run(run, Qrels({"a": frozenset("x")}), tolerance=-1.0)
    with pytest.raises(ValueError, match="no query in common"):
        evaluate_run(run, Qrels({"b": frozenset("y")}))


def test_ties_of_a_run_are_expected_values():
    run = {"a": {"x": 1.0, "y": 1.0}}
    found = evaluate_run(run, Qrels({"a": frozenset("x")}), resamples=0)
    assert found.t2v["R@1"] == 50
    assert found.t2v["MRR"] == pytest.approx(0.75)
    assert found.t2v.tied == 1
