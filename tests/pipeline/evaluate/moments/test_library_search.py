"""The real search over a library of generated videos, measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import moviola
from moviola.cli.app import app
from moviola.cli.console import say_error
from moviola.core.moments import Moment
from moviola.pipeline.evaluate.moments.files import evaluate_moment_files
from moviola.pipeline.evaluate.moments.library_search import (
    evaluate_search,
    submission,
    write_submission,
)
from moviola.pipeline.search.search import open_library
from moviola.plugins import load_encoder
from moviola.synthetic import shapes


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("measured")
    shapes.generate(root, seed=5, videos={"test": 6}, workers=2)
    moviola.index([root / "videos"], library=root / "library", model="shapes", workers=1)
    return root


def _queries(root: Path, count: int = 12) -> list[dict]:
    lines = [json.loads(line) for line in (root / "moments.jsonl").read_text().splitlines()]
    assert len(lines) >= count
    return [
        {
            "query_id": line["qid"],
            "query": line["query"],
            # Each way in which a video may be told.
            "video": (str(path), path.name, path.stem)[number % 3],
            "start": line["relevant_windows"][0][0],
            "end": line["relevant_windows"][0][1],
        }
        for number, line in enumerate(lines[:count])
        if (path := root / "videos" / f"{line['vid']}.mp4").is_file()
    ]


def _write(path: Path, lines: list[dict]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_the_library_keeps_how_its_encoder_wants_windows_joined(place):
    wanted = load_encoder("shapes").sharpness
    assert wanted > 0
    opened = open_library(place / "library")
    assert opened.card.sharpness == opened.snapshot().sharpness == wanted


def test_the_command_line_reports_and_writes_hits_that_measure_the_same(place, tmp_path, capsys):
    queries = _write(tmp_path / "q.jsonl", _queries(place))
    out, report = tmp_path / "hits.json", tmp_path / "page.html"
    words = ["evaluate-search", "--library", place / "library", "--queries", queries]
    words += ["--out", out, "--report", report, "--per-query", tmp_path / "rows.csv", "--json"]
    assert not app([*map(str, words)], standalone_mode=False)
    found = json.loads(capsys.readouterr().out)
    assert set(found["tvr"]) == {"VCMR", "SVMR", "VR"}
    assert found["tvr"]["VR"]["r10"] == 100  # there are six videos
    # In the right video alone, a moment comes no later than among all.
    for name, value in found["tvr"]["VCMR"].items():
        assert found["tvr"]["SVMR"][name] >= value
    assert found["tvr"]["VR"]["r1"] > 100 / 6
    assert 0 < found["ms_per_query"]["p50"] <= found["ms_per_query"]["p95"]
    bands = dict(found["bands"])
    assert 0 <= bands.pop("error") <= 1
    assert sum(each["share"] for each in bands.values()) == pytest.approx(1)
    again = evaluate_moment_files(out, queries).to_json()
    assert again["tvr"] == found["tvr"]
    assert len((tmp_path / "rows.csv").read_text().splitlines()) == 1 + found["n_queries"]
    page = report.read_text()
    assert "Reliability" in page
    assert "VCMR" in page


def test_a_search_that_knows_the_answers_is_perfect(place, tmp_path):
    lines = _queries(place)
    for line in lines:
        line["video"] = Path(line["video"]).stem
    library = open_library(place / "library")
    video = {record.path.stem: record.id for record in library.videos()}
    truth = {line["query"]: line for line in lines}

    def oracle(text, *, library, top, filters=None, **_):
        line = truth[text]
        right = Moment(
            video[line["video"]],
            Path(line["video"]),
            line["start"],
            line["end"],
            (line["start"] + line["end"]) / 2,
            1.0,
            "strong",
            0.8,
        )
        return [right]

    queries = _write(tmp_path / "q.jsonl", lines)
    found = evaluate_search(library, queries, resamples=0, search_with=oracle)
    assert set(found.corpus.aggregates["VCMR"].values()) == {100.0}
    assert found.bands.to_json() == {
        "error": pytest.approx(0.2),
        "strong": {"share": 1.0, "right": 1.0},
    }
    assert found.notes == ()
    told = submission(found)
    assert [entry["desc"] for entry in told["VCMR"]] == [line["query"] for line in lines]


def test_videos_that_are_not_there_count_as_failed_and_are_told(place, tmp_path):
    lines = _queries(place, 3)
    lines[1]["video"] = "elsewhere.mp4"
    found = evaluate_search(place / "library", _write(tmp_path / "q.jsonl", lines), resamples=0)
    assert "1 of 3 queries lie in videos that the library does not hold" in found.notes[0]
    assert found.corpus.aggregates["SVMR"]["0.5-r100"] <= 66.67
    write_submission(found, tmp_path / "new" / "hits.json")
    assert (tmp_path / "new" / "hits.json").is_file()
    for line in lines:
        line["video"] = "elsewhere.mp4"
    with pytest.raises(ValueError, match="holds none of the videos"):
        evaluate_search(place / "library", _write(tmp_path / "q.jsonl", lines))


def test_a_library_whose_files_are_all_gone_names_the_option(tmp_path, capsys):
    shapes.generate(tmp_path, seed=5, videos={"test": 2}, workers=1)
    library = tmp_path / "library"
    moviola.index([tmp_path / "videos"], library=library, model="shapes", workers=1)
    queries = _queries(tmp_path, 1)
    for file in (tmp_path / "videos").iterdir():
        file.unlink()
    # A folder without any video may be that of a disk that is not connected.
    (tmp_path / "videos" / "other.mp4").write_text("no video")
    moviola.index([tmp_path / "videos"], library=library, model="shapes", workers=1)
    with pytest.raises(ValueError, match="only `moviola search --missing` does"):
        evaluate_search(library, _write(tmp_path / "q.jsonl", queries))
    words = ["search", "a red circle", "--library", str(library)]
    capsys.readouterr()
    app(words, standalone_mode=False)
    assert "are gone; --missing finds them all the same" in capsys.readouterr().out
    app([*words, "--missing"], standalone_mode=False)
    assert "nothing found" not in capsys.readouterr().out


def test_an_empty_place_is_refused_in_one_line(tmp_path, capsys):
    line = {"query_id": 1, "query": "a dog", "video": "v", "start": 0, "end": 1}
    queries = _write(tmp_path / "q.jsonl", [line])
    words = ["evaluate-search", "--library", tmp_path / "none", "--queries", queries]
    with pytest.raises(FileNotFoundError) as error:
        app([*map(str, words)], standalone_mode=False)
    assert say_error(error.value) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
