"""A user's own table of passages, and the transcript of a library."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import moviola
from fixtures.subtitled import Track, make_film
from moviola.core import DatasetError
from moviola.library import Library

HEADER = "video,start,end,text\n"


@pytest.fixture
def folder(tmp_path) -> Path:
    for name in ("one", "two"):
        (tmp_path / "videos" / name).mkdir(parents=True)
        make_film(tmp_path / "videos" / name / f"{name}.mp4", seconds=2 if name == "one" else 3)
    return tmp_path / "videos"


@pytest.fixture
def place(tmp_path) -> Path:
    return tmp_path / "lib"


def run(folder: Path, place: Path, table: Path | None = None, text: str = "", **options):
    if table is not None:
        table.write_text(text)
    return moviola.index([folder], library=place, model="none", passages=table, **options)


def test_a_table_becomes_passages_of_the_videos_it_names(folder, place, tmp_path):
    rows = [
        {"video": "one", "start": 0.5, "end": 1.5, "text": "by stem", "language": "en"},
        {"video": "two/two.mp4", "start": 0, "end": 1, "text": "by path", "confidence": 0.25},
        {"video": str(folder / "one" / "one.mp4"), "start": 0, "end": 1, "text": "=whole path"},
        {"video": "two", "start": 1, "end": 2, "text": "of another", "channel": "comments"},
        {"video": "three", "start": 1, "end": 2, "text": "of nobody"},
    ]
    table = tmp_path / "t.jsonl"
    report = run(folder, place, table, "\n".join(map(json.dumps, rows)))
    found = {passage.text: passage for passage in moviola.passages(library=place)}
    assert found["by stem"].channel == "table"
    assert found["by stem"].language == "en"
    assert found["by path"].confidence == 0.25
    assert found["of another"].channel == "comments"
    assert "=whole path" in found
    assert "of nobody" not in found
    assert "three" in report.warnings[-1]
    assert Library.open(place).channel_names == ["comments", "names", "subtitles", "table"]
    assert run(folder, place).warnings == ()  # a later run without it leaves it alone
    assert len(moviola.passages(library=place, channel="table")) == 3


def test_the_newest_table_counts(folder, place, tmp_path):
    table = tmp_path / "t.csv"
    run(folder, place, table, f"{HEADER}one,0,1,first\ntwo,0,1,kept\n")
    run(folder, place, table, f"{HEADER}one,0,1,second\n")
    assert [p.text for p in moviola.passages(library=place, channel="table")] != []
    texts = {p.text for p in moviola.passages(library=place, channel="table")}
    assert texts == {"second", "kept"}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("one,x,1,text", "line 2.*'start'"),
        ("one,2,1,text", "line 2"),
        ("one,,,text", "needs start and end"),
        ("one,0,1,", "'text'"),
        ("one.mp4,0,1,text\nfilm,0,1,text", "is the name of 2 videos"),
    ],
)
def test_what_cannot_be_used_is_told_by_its_row(folder, place, tmp_path, row, words):
    for name in ("one", "two"):
        make_film(folder / name / "film.mp4", seconds=1 if name == "one" else 1.5)
    with pytest.raises(DatasetError, match=words):
        run(folder, place, tmp_path / "t.csv", f"{HEADER}{row}\n")


def test_a_table_takes_no_name_of_a_channel_that_is_read(folder, place, tmp_path):
    text = "video,start,end,text,channel\none,0,1,mine,subtitles\n"
    with pytest.raises(ValueError, match="'subtitles', which is read from the videos"):
        run(folder, place, tmp_path / "t.csv", text)
    run(folder, place, tmp_path / "t.csv", text, without_channels=["subtitles"])
    assert [p.text for p in moviola.passages(library=place, channel="subtitles")] == ["mine"]


def test_passages_are_listed_by_video_and_channel(folder, place):
    make_film(folder / "told.mkv", [Track("subrip", [(0.5, 1, "hello"), (1, 2, "bye")])])
    run(folder, place)
    found = moviola.passages(folder / "told.mkv", library=place, channel="subtitles")
    assert [passage.text for passage in found] == ["hello", "bye"]
    assert {p.channel for p in moviola.passages(found[0].video, library=place)} == {
        *("subtitles", "names"),
    }
    with pytest.raises(FileNotFoundError, match="holds no video"):
        moviola.passages(folder / "nothing.mkv", library=place)
    with pytest.raises(ValueError, match="no channel 'speech' was read"):
        moviola.passages(library=place, channel="speech")
