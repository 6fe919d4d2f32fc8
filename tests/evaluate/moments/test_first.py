from __future__ import annotations

import json

import pytest

from moviola.core import Span
from moviola.evaluate import best_iou, evaluate_moments


def test_the_best_of_several_truths_counts():
    assert best_iou(Span(0, 10), [Span(8, 20), Span(0, 5)]) == 0.5
    assert best_iou(Span(0, 10), []) == 0.0


def test_an_overlap_equal_to_the_threshold_is_enough():
    truth = {"a": [Span(0, 10)], "b": [Span(0, 10)], "c": [Span(0, 10)], "d": [Span(0, 10)]}
    first = {"a": Span(0, 5), "b": Span(0, 4.9), "c": None}
    result = evaluate_moments(first, truth, resamples=200)
    assert result.queries == ("a", "b", "c", "d")
    assert result.aggregates == {
        "R1@IoU0.5": 25.0, "R1@IoU0.7": 0.0, "mIoU": pytest.approx(0.2475),
    }  # fmt: skip
    low, high = result.intervals["R1@IoU0.5"]
    assert 0 <= low <= 25 <= high <= 100
    assert evaluate_moments(first, truth, resamples=0).intervals == {}


def test_strangers_and_emptiness_are_refused():
    with pytest.raises(ValueError, match="no query"):
        evaluate_moments({}, {})
    with pytest.raises(ValueError, match="'x' has a moment but no truth"):
        evaluate_moments({"x": Span(0, 1)}, {"a": [Span(0, 1)]})


@pytest.mark.shared
def test_moment_detr_on_qvhighlights_is_reproduced(shared_data):
    folder = shared_data / "similarity/qvhighlights"

    def rows(name):
        return [json.loads(line) for line in (folder / name).read_text().splitlines()]

    truth = {
        str(row["qid"]): [Span(*window) for window in row["relevant_windows"]]
        for row in rows("highlight_val_release.jsonl")
    }
    first = {}
    for row in rows("sample_val_preds.jsonl"):
        start, end, _ = row["pred_relevant_windows"][0]
        first[str(row["qid"])] = Span(start, end) if end > start else None
    published = json.loads((folder / "sample_val_preds_metrics_raw.json").read_text())["brief"]
    found = evaluate_moments(first, truth, resamples=0)
    assert len(found.queries) == 1550
    for threshold in ("0.5", "0.7"):
        assert (
            round(found.aggregates[f"R1@IoU{threshold}"], 2) == published[f"MR-full-R1@{threshold}"]
        )
