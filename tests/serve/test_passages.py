"""What videos say, show in writing and are called, over HTTP."""

from __future__ import annotations

import csv
import io
import logging
from pathlib import Path

import pytest
from typer.testing import CliRunner

import moviola
from fixtures.subtitled import Track, make_film
from moviola.cli.app import app

ECHO = "moviola.testing:EchoEncoder"
HOSTILE = "<script>window.__xss=1</script> \u202eevil"
LONG = "w" * 4096
CUES = (
    (0.5, 1.5, "Good morning, Zürich"),
    (2.0, 3.0, "the umbrella 🌂 is open"),
    (3.5, 4.5, HOSTILE),
    (5.0, 5.5, LONG),
)
SIGNS = (("walk.mkv", 1.0, 2.0, "EXIT"), ("walk.mkv", 4.0, 5.0, "NO EXIT"))


def make_library(place: Path, model: str) -> Path:
    """Index a film with subtitles and a name, and signs from a table."""
    videos = place / "videos"
    videos.mkdir()
    make_film(videos / "walk.mkv", [Track("subrip", CUES)], seconds=6)
    make_film(videos / "IMG_2041.mp4", seconds=2)
    table = place / "signs.csv"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("video", "start", "end", "text", "channel"))
        writer.writerows((*row, "writing") for row in SIGNS)
    library = place / model.split(":", maxsplit=1)[0]
    moviola.index([videos], library=library, model=model, passages=table, workers=1)
    return library


@pytest.fixture(scope="module")
def libraries(tmp_path_factory):
    """Two libraries over the same films: one that a model looked at, one of words alone."""
    return {
        model: make_library(tmp_path_factory.mktemp("texts"), model) for model in (ECHO, "none")
    }


@pytest.fixture(scope="module", params=[ECHO, "none"])
def texts(request, libraries, serve):
    """A server over either."""
    with serve(libraries[request.param]) as server:
        server.wait(lambda status: status["state"] == "ready")
        yield server


@pytest.fixture(scope="module")
def unseen(libraries, serve):
    """A server over the library of words alone."""
    with serve(libraries["none"]) as server:
        server.wait(lambda status: status["state"] == "ready")
        yield server


def walk(server) -> str:
    videos = server.json("/api/videos")["videos"]
    return next(video["video"] for video in videos if video["name"] == "walk.mkv")


def listed(server, **params):
    return server.json(f"/api/videos/{walk(server)}/passages", **params)


def test_passages_come_by_start_with_the_name_of_where_to_look(texts):
    answer = listed(texts)
    found = [(each["group"], each["start"]) for each in answer["passages"]]
    assert found == sorted(found, key=lambda pair: pair[1])
    assert answer["groups"] == ["named", "said", "written"]
    assert answer["found"] == len(CUES) + len(SIGNS) + 1
    said = [each["text"] for each in listed(texts, channel="said")["passages"]]
    assert said == [text for _, _, text in CUES]
    assert [each["text"] for each in listed(texts, channel="writing")["passages"]] == [
        "EXIT",
        "NO EXIT",
    ]


def test_a_search_inside_finds_parts_of_words_and_marks_them(texts):
    answer = listed(texts, q="zuri MORN")
    (found,) = answer["passages"]
    assert [word["text"] for word in found["words"]] == ["morn", "Züri"]
    assert [found["text"][w["first"] : w["last"]] for w in found["words"]] == ["morn", "Züri"]
    assert answer["found"] == 1
    assert listed(texts, q="zuri evening")["found"] == 0


def test_long_transcripts_come_in_parts_from_anywhere(texts):
    everything = listed(texts)["passages"]
    first, second = listed(texts, top=3), listed(texts, top=3, offset=3)
    assert first["passages"] + second["passages"] == everything[:6]
    late = listed(texts, top=3, at=5.2)
    assert late["passages"] == everything[late["offset"] : late["offset"] + 3]
    assert any(each["start"] <= 5.2 < each["end"] for each in late["passages"])
    spread = listed(texts, top=3, spread=True)["passages"]
    assert len(spread) <= 3
    assert spread[0] == everything[0]
    assert spread[-1]["start"] > 3


def test_moments_say_why_and_open_by_their_ids(texts):
    first = texts.json("/api/search", q="written:EXIT")["moments"][0]
    assert first["name"] == "walk.mkv"
    (reason,) = [each for each in first["why"] if each["channel"] == "writing"][:1]
    assert (reason["group"], reason["text"]) == ("written", "EXIT")
    opened = texts.json(f"/api/clips/{first['id']}")
    assert opened["video"] == first["video"]
    assert texts.get(f"/media/clips/{first['id']}/poster").headers["content-type"] == "image/jpeg"
    assert texts.get(f"/media/clips/{first['id']}/sprite").status_code == 200
    curve = texts.json(f"/api/videos/{first['video']}/curve", q="written:EXIT")
    assert [moment["why"][0]["text"] for moment in curve["moments"]] == ["EXIT", "NO EXIT"]
    assert curve["duration"] == pytest.approx(6, abs=0.1)
    only = texts.json("/api/search", q="exit", channel="said")
    assert only["moments"] == []


def test_a_library_of_words_alone_is_searched_and_offers_nothing_that_needs_vectors(unseen):
    status = unseen.json("/api/status")
    assert status["model"]["pictures"] is False
    assert [each["name"] for each in status["library"]["covers"]] == ["said", "written", "named"]
    assert unseen.json("/api/search", q="umbrella")["moments"][0]["why"][0]["group"] == "said"
    assert unseen.json("/api/search", q="IMG_2041")["moments"][0]["name"] == "IMG_2041.mp4"
    assert unseen.json("/api/search", q="umbrella", sort="date")["found"] == 1
    moment = unseen.json("/api/search", q="umbrella")["moments"][0]
    for path in (f"/api/similar?clip={moment['id']}", "/api/search?picture=p-1&q=red"):
        refused = unseen.get(path)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "no_vectors")
    picture = {**unseen.writing, "content-type": "image/png"}
    sent = unseen.client.post("/api/pictures", content=b"\x89PNG", headers=picture)
    assert sent.json()["error"]["code"] == "no_vectors"
    new = {
        "query": "umbrella",
        "clip": moment["id"],
        "start": moment["start"],
        "end": moment["end"],
        "relevant": True,
    }
    kept = unseen.client.post("/api/favourites", json=new, headers=unseen.writing).json()
    assert kept["moment"]["video"] == moment["video"]


@pytest.mark.parametrize(
    "name",
    ["nothing", "{video}", "{video}-5000-4000", "{video}-0-", "{video}-900000-900001", "-1-2"],
)
def test_parts_that_are_none_are_not_found(unseen, name):
    name = name.format(video=walk(unseen))
    assert unseen.get(f"/api/clips/{name}").status_code == 404
    assert unseen.get(f"/media/clips/{name}/poster").status_code == 404


def test_what_can_be_asked_is_counted(libraries, serve):
    with serve(libraries[ECHO]) as server:
        status = server.wait(lambda status: status["state"] == "ready")
    assert [each["name"] for each in status["library"]["covers"]] == [
        "seen",
        "said",
        "written",
        "named",
    ]
    assert status["library"]["covers"][2] == {
        "name": "written",
        "channels": ["writing"],
        "videos": 1,
        "passages": 2,
    }


@pytest.mark.parametrize("kind", ["srt", "vtt", "csv"])
def test_exports_are_what_the_command_line_writes(texts, kind, tmp_path):
    library, written = texts.settings.library, tmp_path / f"out.{kind}"
    video = walk(texts)
    words = ["passages", video, "--library", str(library), "--output", str(written)]
    assert CliRunner().invoke(app, words).exit_code == 0
    sent = texts.get(f"/api/videos/{video}/passages/export?format={kind}")
    assert sent.headers["content-disposition"] == f"attachment; filename*=utf-8''walk.{kind}"
    expected = written.read_bytes().decode()
    if kind == "csv":  # without the folders, which are nobody's business
        expected = expected.replace(str(library.parent / "videos"), "").replace("/walk", "walk")
        assert len(list(csv.reader(io.StringIO(sent.text)))) == 8
    assert sent.text == expected
    only = texts.get(f"/api/videos/{video}/passages/export?format=srt&channel=written").text
    assert only.count("-->") == len(SIGNS)


@pytest.mark.parametrize(
    "path",
    [
        "/api/videos/nobody/passages",
        "/api/videos/nobody/passages/export?format=srt",
        "/api/videos/..%2f..%2fetc/passages",
    ],
)
def test_unknown_videos_have_none(texts, path):
    assert texts.get(path).status_code == 404


@pytest.mark.parametrize(
    "words", ["channel=A", "channel=os:system", "top=0", "top=9999", "at=-1", "at=nan", "offset=-1"]
)
def test_odd_parameters_are_refused(texts, words):
    assert texts.get(f"/api/videos/{walk(texts)}/passages?{words}").status_code == 422


def test_texts_never_go_to_the_log(libraries, serve, caplog, monkeypatch):
    def fail(*_args):
        raise RuntimeError(f"a fault that repeats {HOSTILE} and {CUES}")

    with serve(libraries["none"]) as server, caplog.at_level(logging.DEBUG):
        server.wait(lambda status: status["state"] == "ready")
        listed(server, q="umbrella")
        server.json("/api/search", q="umbrella")
        monkeypatch.setattr("moviola.serve.routes.passages.choose", fail)
        answer = server.get(f"/api/videos/{walk(server)}/passages?q=umbrella")
        assert answer.status_code == 500
    assert "answering failed: RuntimeError" in caplog.text  # the fault is there, and where it was
    assert "passages.py" in caplog.text
    ours = [each for each in caplog.records if each.name.startswith(("moviola", "uvicorn"))]
    told = "\n".join(record.getMessage() + str(record.exc_info or "") for record in ours)
    for text in ("umbrella", "script", "Zürich", "EXIT", "IMG_2041"):
        assert text not in told
