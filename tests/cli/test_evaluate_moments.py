"""`moviola evaluate-moments`: TVR's numbers to the digit, every layout, and refusals."""

from __future__ import annotations

import json
from collections.abc import Callable

import pyarrow.parquet as pq
import pytest

from moviola.cli.app import app
from moviola.cli.console import say_error


@pytest.fixture
def run(capsys) -> Callable[..., tuple[int, str, str]]:
    def call(*words: object) -> tuple[int, str, str]:
        try:
            code = app(["evaluate-moments", *map(str, words)], standalone_mode=False) or 0
        except Exception as error:  # noqa: BLE001 -- as the program's last door does
            code = say_error(error)
        captured = capsys.readouterr()
        return int(code), captured.out, captured.err

    return call


@pytest.mark.shared
def test_the_numbers_of_tvrs_own_code(run, shared_data, tmp_path):
    folder = shared_data / "corpus_moments"
    code, out, err = run(
        *("--predictions", folder / "predictions.json", "--truth", folder / "truth.jsonl"),
        *("--per-query", tmp_path / "rows.parquet", "--json"),
    )
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert found["tvr"] == json.loads((folder / "metrics.json").read_text())
    assert found["n_queries"] == 600
    low, high = found["intervals"]["VCMR"]["0.5-r1"]
    assert low < found["tvr"]["VCMR"]["0.5-r1"] < high
    rows = pq.read_table(tmp_path / "rows.parquet").to_pydict()
    ranks = rows["VCMR_0.5"]
    assert round(100 * sum(1 <= rank <= 5 for rank in ranks) / 600, 2) == 52.17


@pytest.mark.shared
def test_the_highlights_of_moment_detr(run, shared_data):
    folder = shared_data / "similarity" / "qvhighlights"
    code, out, _ = run(
        *("--predictions", folder / "sample_val_preds.jsonl"),
        *("--truth", folder / "highlight_val_release.jsonl", "--json"),
    )
    assert code == 0
    found = json.loads(out)
    published = json.loads((folder / "sample_val_preds_metrics_raw.json").read_text())
    for level, numbers in found["highlights"].items():
        theirs = published[f"HL-min-{level}"]
        assert f"{numbers['HIT@1']:.2f}" == f"{theirs['HL-Hit1']:.2f}"
        assert f"{numbers['mAP']:.2f}" == f"{theirs['HL-mAP']:.2f}"
    assert found["tvr"]["SVMR"]["0.5-r1"] == published["brief"]["MR-full-R1@0.5"]


def _lines(path, *values):
    path.write_text("".join(json.dumps(value) + "\n" for value in values))
    return path


def test_lines_of_ones_own(run, tmp_path):
    truth = _lines(
        tmp_path / "t.jsonl",
        {"query_id": "a", "query": "a dog", "video": "x", "start": 0, "end": 10},
        {"query_id": "b", "query": "a cat", "video": "y", "start": 0, "end": 10},
        {"query_id": "c", "query": "a cow", "video": "y", "start": 0, "end": 10},
    )
    found = _lines(
        tmp_path / "p.jsonl",
        {
            "query_id": "a",
            "predictions": [
                {"video": "y", "start": 0, "end": 10, "score": 0.9},
                {"video": "y", "start": 5, "end": 10, "score": 0.8},
                {"video": "x", "start": 0, "end": 6, "score": 0.7},
            ],
        },
        {"query_id": "b", "predictions": [{"video": "y", "start": 0, "end": 10}]},
    )
    code, out, _ = run("--predictions", found, "--truth", truth, "--json")
    assert code == 0
    told = json.loads(out)
    third = 33.33
    assert told["tvr"]["VCMR"]["0.5-r1"] == third
    assert told["tvr"]["VCMR"]["0.5-r5"] == 66.67
    assert told["tvr"]["VCMR"]["0.7-r5"] == third
    assert told["tvr"]["SVMR"]["0.5-r1"] == 66.67
    assert told["tvr"]["VR"] == {"r1": third, "r5": 66.67, "r10": 66.67, "r100": 66.67}
    assert "VCMR: 1 of 3 queries have no moments" in told["notes"][0]
    code, out, _ = run("--predictions", found, "--truth", truth, "--per-query", tmp_path / "r.csv")
    assert code == 0
    assert "VCMR 0.5-r1" in out
    assert max(map(len, out.splitlines())) <= 110
    assert (tmp_path / "r.csv").read_text().splitlines()[1] == '"a","",3,0,1,0,2'


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("p.json", "[]", "no 'video2idx'"),
        ("p.json", '{"video2idx": {}}', "holds none of VCMR"),
        ("p.json", '{"video2idx": {"x": 1}, "VR": [{"desc_id": "a"}]}', "no list of moments"),
        (
            "p.json",
            '{"video2idx": {"x": 1}, "VR": [{"desc_id": "z", "predictions": []}]}',
            "'z' has",
        ),
        ("p.jsonl", '{"query_id": "a"}\n', "holds no moments"),
        ("p.jsonl", '{"query_id": "a", "predictions": [{"video": "x"}]}\n', "no list of moments"),
        ("p.jsonl", '{"query_id": "a", "predictions": []}\n' * 2, "comes a second time"),
        ("p.jsonl", "", "holds no queries"),
    ],
)
def test_bad_predictions_are_refused(run, tmp_path, name, content, said):
    line = {"query_id": "a", "query": "a dog", "video": "x", "start": 0, "end": 10}
    truth = _lines(tmp_path / "t.jsonl", line)
    (tmp_path / name).write_text(content)
    code, out, err = run("--predictions", tmp_path / name, "--truth", truth, "--json")
    assert (code, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1
