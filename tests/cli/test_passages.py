"""`moviola passages`, and what `index`, `status` and `failures` say of channels."""

from __future__ import annotations

import csv
import io
import json
from contextlib import redirect_stdout

import pytest

from fixtures.subtitled import Track, make_film
from moviola.cli.app import app
from moviola.cli.console import say_error

CUES = [(0.5, 1.5, "hello <i>there</i>"), (2.0, 3.0, "=good bye")]


def run(*words: object, code: int = 0) -> str:
    """What a command prints; the errors are those of the program's last door."""
    with redirect_stdout(io.StringIO()) as printed:
        try:
            left = app([str(word) for word in words], standalone_mode=False) or 0
        except Exception as error:  # noqa: BLE001 - as in `main`
            left = say_error(error)
    assert left == code, printed.getvalue()
    return printed.getvalue()


@pytest.fixture
def film(tmp_path):
    folder = tmp_path / "videos"
    folder.mkdir()
    return make_film(folder / "film.mkv", [Track("subrip", CUES)])


@pytest.fixture
def place(tmp_path, film):
    place = tmp_path / "lib"
    told = run("index", film.parent, "--library", place, "--model", "none")
    assert "subtitles: 2 passages of 1 videos" in told
    assert "names: 1 passages of 1 videos" in told
    return place


def test_a_transcript_is_printed_with_times(place, film):
    assert run("passages", film, "--library", place).splitlines() == [
        "   0:00.0  names      film",
        "   0:00.5  subtitles  hello there",
        "   0:02.0  subtitles  =good bye",
    ]
    whole = run("passages", place).splitlines()
    assert whole[0] == str(film)
    assert len(whole) == 4
    only = json.loads(run("passages", film, "--library", place, "--channel", "names", "--json"))
    assert only == [
        {
            "video": str(film),
            "channel": "names",
            "start": 0.0,
            "end": 4.0,
            "text": "film",
            "language": None,
            "confidence": None,
        }
    ]


def test_passages_are_written_to_files(place, film, tmp_path):
    run("passages", film, "--library", place, "--channel", "subtitles", "-o", tmp_path / "a.srt")
    assert (tmp_path / "a.srt").read_text() == (
        "1\n00:00:00,500 --> 00:00:01,500\nhello there\n\n"
        "2\n00:00:02,000 --> 00:00:03,000\n=good bye\n"
    )
    run("passages", film, "--library", place, "-o", tmp_path / "a.vtt")
    assert (tmp_path / "a.vtt").read_text().startswith("WEBVTT\n\n00:00:00.000 --> ")
    run("passages", "--library", place, "-o", tmp_path / "a.csv")
    texts = [row["text"] for row in csv.DictReader(io.StringIO((tmp_path / "a.csv").read_text()))]
    assert texts == ["film", "hello there", "'=good bye"]
    run("passages", "--library", place, "-o", tmp_path / "a.csv", "--raw-csv")
    assert "'=good" not in (tmp_path / "a.csv").read_text()
    for words in ((film, "-o", tmp_path / "a.txt"), ("-o", tmp_path / "a.srt")):
        assert "written to" not in run("passages", *words, "--library", place, code=2)
    run("passages", tmp_path / "nothing.mkv", "--library", place, code=2)


def test_what_is_typed_out_cannot_steer_a_terminal(place, film):
    table = film.parent / "t.jsonl"
    row = {"video": "film", "start": 0, "end": 1, "text": "a\u001b[31mred\u202e"}
    table.write_text(json.dumps(row))
    run("index", "--library", place, "--passages", table)
    told = run("passages", film, "--library", place, "--channel", "table")
    assert told == "   0:00.0  table      a\\x1b[31mred\\u202e\n"


def test_status_tells_what_each_channel_covers_and_failures_why_not(place, film):
    told = run("index", "--library", place, "--channel", "fixtures.channels:Failing", code=3)
    assert "failing: 0 passages of 1 videos, 1 failed" in told
    status = run("status", "--library", place)
    assert "subtitles  2 passages of 1 of 1 videos\n" in status
    assert "failing    0 passages of 0 of 1 videos, 1 failed\n" in status
    facts = json.loads(run("status", "--library", place, "--json"))
    assert facts["channels"]["subtitles"] == {
        "videos": 1,
        "passages": 2,
        "partial": 0,
        "failed": 0,
    }
    (failure,) = json.loads(run("failures", "--library", place, "--json"))
    assert failure == {
        "path": str(film),
        "code": "channel_error",
        "message": "the channel failed: ValueError",
        "channel": "failing",
    }
    assert "failing: the channel failed" in " ".join(run("failures", "--library", place).split())
    run("failures", "--retry", "--library", place, code=3)
    run("index", "--library", place, "--no-channel", "failing")
