"""mAP of moments, against a naive reading of its definition."""

from __future__ import annotations

import json

import numpy as np
import pytest

from moviola.core import DatasetError, Span
from moviola.evaluate.moments.ranked import (
    THRESHOLDS,
    average_precisions,
    evaluate_ranked_moments,
)
from moviola.pipeline.evaluate.moments.files import evaluate_moment_files

RNG = np.random.default_rng(8)


def _spans(count: int) -> list[Span]:
    return [Span(start, start + RNG.uniform(1, 12)) for start in RNG.uniform(0, 20, count)]


def _naive(found: list[tuple[Span, float]], truth: list[Span], limit: float) -> float:
    """Area under the interpolated precision, recall by recall."""
    ordered = sorted(found[:10], key=lambda pair: -pair[1])
    free, right = list(truth), []
    for span, _ in ordered:
        best = max(free, key=span.iou, default=None)
        hit = best is not None and span.iou(best) >= limit
        if hit:
            free.remove(best)
        right.append(hit)
    points = [(sum(right[:n]) / len(truth), sum(right[:n]) / n) for n in range(1, len(right) + 1)]
    area = 0.0
    for step in range(1, len(truth) + 1):
        level = step / len(truth)
        area += max((p for r, p in points if r >= level - 1e-12), default=0.0) / len(truth)
    return area


@pytest.mark.parametrize("case", range(30))
def test_average_precision_is_the_area_under_the_curve(case):
    truth = _spans(int(RNG.integers(1, 5)))
    found = [(span, float(RNG.random())) for span in _spans(int(RNG.integers(0, 13)))]
    expected = [_naive(found, truth, limit) for limit in THRESHOLDS]
    np.testing.assert_allclose(average_precisions(found, truth), expected, atol=1e-12)


def test_the_truth_itself_scores_full_marks_and_silence_none():
    truth = {"a": [Span(0, 4), Span(6, 9)], "b": [Span(2, 3)]}
    perfect = {query: [(span, 1.0) for span in spans] for query, spans in truth.items()}
    found = evaluate_ranked_moments(perfect, truth, resamples=50)
    assert found.aggregates["mAP"] == 100
    assert found.intervals["mAP"] == (100, 100)
    half = evaluate_ranked_moments({"a": perfect["a"], "b": []}, truth, resamples=0)
    assert half.aggregates["mAP"] == half.aggregates["R1@IoU0.5"] == 50
    assert half.intervals == {}


def test_one_moment_is_not_counted_twice():
    truth = [Span(0, 10)]
    twice = [(Span(0, 10), 0.9), (Span(0, 10), 0.8)]
    assert average_precisions(twice, truth, [0.5]) == 1
    late = [(Span(20, 30), 0.9), (Span(0, 10), 0.8)]
    assert average_precisions(late, truth, [0.5]) == 0.5


def test_moments_of_an_unknown_query_are_refused():
    with pytest.raises(ValueError, match="'b' has moments but no truth"):
        evaluate_ranked_moments({"b": []}, {"a": [Span(0, 1)]})


@pytest.mark.parametrize(
    ("found", "truth", "said"),
    [
        ([{"qid": 1}], None, "pred_relevant_windows"),
        ([{"qid": 1, "pred_relevant_windows": 3}], None, "found.jsonl, line 1"),
        ([{"qid": 1, "pred_relevant_windows": [[0]]}], None, "no list of moments"),
        ([{"qid": 1, "pred_relevant_windows": []}] * 2, None, "a second time"),
        ([{"qid": 2, "pred_relevant_windows": []}], None, "'2' has moments for SVMR but no truth"),
        (None, [{"qid": 1, "relevant_windows": []}], "no list of true moments"),
        (None, [{"qid": 1, "relevant_windows": [[3, 1]]}], "truth.jsonl, line 1"),
        (None, [], "holds no queries"),
    ],
)
def test_bad_files_are_refused(tmp_path, found, truth, said):
    found = [{"qid": 1, "pred_relevant_windows": [[0, 1, 0.5]]}] if found is None else found
    truth = [{"qid": 1, "relevant_windows": [[0, 1]]}] if truth is None else truth
    paths = tmp_path / "found.jsonl", tmp_path / "truth.jsonl"
    for path, lines in zip(paths, (found, truth), strict=True):
        path.write_text("\n".join(json.dumps(line) for line in lines))
    with pytest.raises((DatasetError, ValueError), match=said):
        evaluate_moment_files(*paths)


def test_a_moment_without_length_finds_nothing(tmp_path):
    (tmp_path / "f").with_suffix(".jsonl").write_text(
        '{"qid": 1, "pred_relevant_windows": [[2, 2, 0.9], [0, 4, 0.5]]}\n'
    )
    (tmp_path / "t.jsonl").write_text('{"qid": 1, "relevant_windows": [[0, 4]]}\n')
    found = evaluate_moment_files(tmp_path / "f.jsonl", tmp_path / "t.jsonl", resamples=0)
    assert found.inside.aggregates["R1@IoU0.5"] == 0
    assert found.inside.aggregates["mAP"] == 50
