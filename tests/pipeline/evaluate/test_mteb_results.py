"""Results of mteb beside one another and beside ours."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from moviola.cli.app import app
from moviola.core import DatasetError
from moviola.pipeline.evaluate.mteb_results import (
    _UNPAIRED,
    compare_summaries,
    is_mteb_result,
    read_mteb,
)

SCORES = {
    "hit_rate_at_1": 0.25,
    "hit_rate_at_5": 0.5,
    "recall_at_5": 0.4,
    "ndcg_at_10": 0.5,
    "map_at_10": 0.375,
    "mrr_at_10": 0.3,
    "nauc_mrr_at_10_max": 0.9,
    "nauc_recall_at_1_max": float("nan"),
    "accuracy": 0.25,
    "main_score": 0.5,
    "hf_subset": "default",
    "languages": ["eng-Latn"],
    "mteb_version": "2.26.24",
}


def _write(path: Path, scores: object = None, **more: object) -> Path:
    told = {
        "dataset_revision": "abc",
        "task_name": "TinyT2V",
        "mteb_version": "2.26.24",
        "scores": {"test": [SCORES]} if scores is None else scores,
    }
    path.write_text(json.dumps(told | more))
    return path


def test_measures_of_retrieval_get_our_names(tmp_path: Path) -> None:
    found = read_mteb(_write(tmp_path / "a.json"))
    assert found.protocol == "TinyT2V, revision abc"
    assert found.parts == {
        "test": {
            "R@1": 25.0,
            "R@5": 50.0,
            "Recall@5": 40.0,
            "nDCG@10": 0.5,
            "mAP@10": 0.375,
            "MRR@10": 0.3,
            "accuracy": 0.25,
        }
    }
    other = SCORES | {"hf_subset": "de", "ndcg_at_10": 0.25}
    found = read_mteb(_write(tmp_path / "a.json", {"test": [SCORES, other], "dev": [SCORES]}))
    assert list(found.parts) == ["test", "test, de", "dev"]
    assert found.parts["test, de"]["nDCG@10"] == 0.25


def test_only_what_both_have_is_compared_and_no_chance_is_told(tmp_path: Path) -> None:
    a = _write(tmp_path / "a.json", {"test": [SCORES], "dev": [SCORES]})
    few = {"ndcg_at_10": 0.75, "hit_rate_at_1": 0.5, "f1": 0.1, "hf_subset": "default"}
    found = compare_summaries(a, _write(tmp_path / "b.json", {"test": [few]}, mteb_version="3"))
    told = found.to_json()
    assert told["parts"] == {
        "test": {
            "R@1": {"a": 25.0, "b": 50.0, "difference": 25.0},
            "nDCG@10": {"a": 0.5, "b": 0.75, "difference": 0.25},
        }
    }
    assert not found.unlike
    assert found.notes == (
        "only A has dev, which is left out",
        _UNPAIRED,
        "measured by mteb 2.26.24 and mteb 3",
    )


@pytest.mark.parametrize("changed", [{"task_name": "OtherT2V"}, {"dataset_revision": "abd"}])
def test_unlike_tasks_are_compared_only_when_asked(tmp_path: Path, changed: dict) -> None:
    a, b = _write(tmp_path / "a.json"), _write(tmp_path / "b.json", **changed)
    with pytest.raises(ValueError, match=r"not measured alike: another protocol \(TinyT2V, rev"):
        compare_summaries(a, b)
    assert compare_summaries(a, b, force=True).unlike
    _write(b, {"dev": [SCORES]})
    with pytest.raises(ValueError, match="no measure of one split in common: there are test and"):
        compare_summaries(a, b)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "is no result of mteb: it has no scores"),
        ('{"scores": []}', "has no scores"),
        ('{"scores": {}, "task_name": "a"}', "names no task_name or revision"),
        ('{"scores": {}, "task_name": 3, "dataset_revision": "1"}', "names no task_name"),
        ('{"scores": {}, "task_name": "a", "dataset_revision": "1"}', "holds no scores"),
        (
            '{"scores": {"test": [3]}, "task_name": "a", "dataset_revision": "1"}',
            r"scores\['test'\]\[0\] is no object",
        ),
        (
            '{"scores": {"test": {}}, "task_name": "a", "dataset_revision": "1"}',
            r"scores\['test'\]\[0\] is no object",
        ),
    ],
)
def test_what_is_no_result_is_named(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(content)
    with pytest.raises(DatasetError, match=said) as caught:
        read_mteb(path)
    assert "a.json" in str(caught.value)


def _run(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    app([str(word) for word in words], standalone_mode=False)
    return capsys.readouterr().out


@pytest.fixture
def report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """Of four texts, three find their videos first."""
    scores = np.eye(4, dtype=np.float32)
    scores[3] = [2, 0, 0, 1]
    np.save(tmp_path / "s.npy", scores)
    _run(capsys, "evaluate", "--similarity", tmp_path / "s.npy", "--out", tmp_path / "ours")
    return tmp_path / "ours"


def test_the_command_shows_both_without_a_test(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = _write(tmp_path / "a.json"), _write(tmp_path / "b.json")
    out = _run(capsys, "compare", a, b)
    assert out.splitlines()[0].split() == ["measure", "A", "B", "B", "-", "A"]
    assert "no paired test is possible" in out
    assert "p:" not in out
    told = json.loads(_run(capsys, "compare", a, b, "--json"))
    assert told["parts"]["test"]["R@1"] == {"a": 25.0, "b": 25.0, "difference": 0.0}


def test_ours_and_theirs_are_unlike_and_share_a_direction(tmp_path: Path, report: Path) -> None:
    theirs = _write(tmp_path / "TinyT2V.json")
    assert (is_mteb_result(theirs), is_mteb_result(report)) == (True, False)
    with pytest.raises(ValueError, match=r"\(none claimed and TinyT2V, revision abc\)"):
        compare_summaries(report, theirs)
    found = compare_summaries(report, theirs, force=True)
    assert {name: each.b for name, each in found.parts["t2v"].items()} == {"R@1": 25.0, "R@5": 50.0}
    assert found.parts["t2v"]["R@1"].a == 75.0
    assert list(found.parts) == ["t2v"]
    assert any("counts as t2v, after the name of its task" in note for note in found.notes)
    turned = compare_summaries(theirs, report, force=True)
    assert turned.parts["t2v"]["R@1"].difference == 50.0


@pytest.mark.parametrize("name", ["Tiny", "TinyAT2V", "TinyT2VA", "TinyVT2V"])
def test_a_task_without_a_direction_is_not_put_beside_a_report(
    tmp_path: Path, report: Path, name: str
) -> None:
    theirs = _write(tmp_path / "task.json", task_name=name)
    with pytest.raises(ValueError, match="does not tell which direction"):
        compare_summaries(report, theirs, force=True)
