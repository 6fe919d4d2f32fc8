"""Pictures, favourites, exports, index runs: what a page sends, and what comes of it."""

from __future__ import annotations

import csv
import gc
import io
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

import moviola
from moviola.serve.exports import as_csv, as_edl
from moviola.serve.schemas import MomentAnswer

BLUE = (20, 20, 220)


def encoded(kind: str, size=(64, 48), colour=BLUE, **options) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, kind, **options)
    return buffer.getvalue()


def send(served, data: bytes, kind: str = "image/png"):
    headers = {**served.writing, "content-type": kind}
    return served.client.post("/api/pictures", content=data, headers=headers)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_a_picture_finds_what_looks_like_it(served, kind):
    answer = send(served, encoded(kind), f"image/{kind.lower()}")
    assert answer.status_code == 201, answer.text
    picture = answer.json()
    assert (picture["kind"], picture["width"], picture["height"]) == ("image", 64, 48)
    found = served.json("/api/search", picture=picture["picture"], duplicates="show")
    assert "blue" in found["moments"][0]["name"]
    assert found["moments"][0]["probability"] is None
    small = served.get(picture["preview"])
    assert small.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(small.content)).size == (64, 48)


def test_a_clip_finds_what_looks_like_it(served, world):
    data = (world.folder / "trips" / "sea" / "blue.mp4").read_bytes()
    picture = send(served, data, "video/mp4").json()
    assert picture["kind"] == "clip"
    found = served.json("/api/search", picture=picture["picture"], duplicates="show")
    assert "blue" in found["moments"][0]["name"]


def test_text_and_picture_are_weighed(served):
    picture = send(served, encoded("PNG")).json()["picture"]

    def best(weight):
        asked = {"q": "red", "picture": picture, "weight": weight, "duplicates": "show"}
        return served.json("/api/search", **asked)["moments"][0]["name"]

    assert best(0) == "red-green.mp4"
    assert "blue" in best(1)


def test_a_picture_outlives_the_server(serve, own_world):
    with serve(own_world.library) as server:
        server.wait(lambda status: status["state"] == "ready")
        picture = send(server, encoded("PNG")).json()["picture"]
    with serve(own_world.library) as server:
        server.wait(lambda status: status["state"] == "ready")
        assert server.json("/api/search", picture=picture)["moments"]


def bomb() -> bytes:
    """A PNG that claims to be 60,000 pixels square."""
    data = bytearray(encoded("PNG"))
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    import zlib

    data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4, "big")
    return bytes(data)


def animation() -> bytes:
    frames = [Image.new("P", (16, 16), number % 250) for number in range(2000)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "kind", "status", "code"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", 415, "unsupported"),
        (b"II*\x00", "image/tiff", 415, "unsupported"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/png", 422, "unreadable"),
        (encoded("TIFF"), "image/png", 422, "unreadable"),
        (b"", "image/png", 422, "invalid"),
        (b"no picture", "image/png", 422, "unreadable"),
        (encoded("PNG")[:60], "image/png", 422, "unreadable"),
        (bomb(), "image/png", 422, "unreadable"),
        (b"no clip", "video/mp4", 422, "unreadable"),
        (b"#EXTM3U\nfile:///etc/passwd\n", "video/mp4", 422, "unreadable"),
        (b"x" * ((20 << 20) + 1), "image/png", 413, "too_large"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_picture_is_refused(served, data, kind, status, code):
    answer = send(served, data, kind)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text


def test_too_many_pixels_are_told_before_they_are_decoded(served):
    began = time.monotonic()
    error = send(served, bomb()).json()["error"]
    assert error["file_code"] == "too_large"
    assert "60000x60000" in error["message"]
    assert time.monotonic() - began < 20


def test_an_animation_is_its_first_picture(served):
    assert send(served, animation(), "image/gif").status_code == 201


def test_the_upload_leaves_no_file_behind(served, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    send(served, encoded("PNG"))
    send(served, b"no picture")
    assert list(tmp_path.iterdir()) == []


def favour(server, clip: dict, query: str, *, relevant: bool = True):
    body = {
        "query": query,
        "clip": clip["id"],
        "start": clip["start"],
        "end": clip["end"],
        "relevant": relevant,
    }
    return server.client.post("/api/favourites", json=body, headers=server.writing)


def test_favourites_become_qrels_and_a_run_that_evaluate_reads(serve, own_world, tmp_path):
    with serve(own_world.library) as server:
        server.wait(lambda status: status["state"] == "ready")
        red = server.json("/api/search", q="red")["moments"][0]
        green = server.json("/api/search", q="green")["moments"]
        assert favour(server, red, "red").status_code == 201
        assert favour(server, red, "red").status_code == 201  # once
        assert favour(server, green[0], "green").status_code == 201
        assert favour(server, green[-1], "green", relevant=False).status_code == 201
        listed = server.json("/api/favourites")["favourites"]
        assert [(row["query"], row["relevant"]) for row in listed] == [
            ("green", False),
            ("green", True),
            ("red", True),
        ]
        assert listed[2]["moment"]["video"] == red["video"]
        for kind in ("qrels", "run"):
            answer = server.get(f"/api/favourites/export?format={kind}")
            (tmp_path / kind).write_text(answer.text)
        words = server.get("/api/favourites/export?format=queries").text.splitlines()
        assert {json.loads(line)["text"] for line in words} == {"red", "green"}
        first = listed[0]["id"]
        gone = server.client.delete(f"/api/favourites/{first}", headers=server.writing)
        assert gone.status_code == 204
        again = server.client.delete(f"/api/favourites/{first}", headers=server.writing)
        assert again.status_code == 404
    with serve(own_world.library) as server:
        assert len(server.json("/api/favourites")["favourites"]) == 2
    moviola.open_library(own_world.library)  # the file beside the tables disturbs nothing
    command = [sys.executable, "-m", "moviola", "evaluate", "--run", str(tmp_path / "run")]
    command += ["--relevance", str(tmp_path / "qrels"), "--out", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert re.search(r"100\.0", done.stdout)  # both were found first


@pytest.mark.parametrize(
    ("change", "status", "word"),
    [
        ({"clip": "0"}, 404, "clip"),
        ({"end": 0}, 422, "end"),
        ({"query": ""}, 422, "query"),
        ({"query": "x" * 10_001}, 422, "query"),
        ({"start": "NaN"}, 422, "start"),
        ({"path": "/etc/passwd"}, 422, "path"),
    ],
)
def test_favourites_that_are_none(served, change, status, word):
    clip = served.json("/api/search", q="red")["moments"][0]
    body = {"query": "red", "clip": clip["id"], "start": 0, "end": 2, **change}
    answer = served.client.post("/api/favourites", json=body, headers=served.writing)
    assert answer.status_code == status
    assert word in answer.json()["error"]["message"]


def test_exports_hold_the_hits(served):
    hits = served.json("/api/search", q="red", duplicates="show")["moments"]
    asked = "q=red&duplicates=show"
    table = served.get(f"/api/export?{asked}&format=csv")
    assert 'attachment; filename="moviola.csv"' in table.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert [row["id"] for row in rows] == [hit["id"] for hit in hits]
    assert [float(row["start"]) for row in rows] == [hit["start"] for hit in hits]
    whole = served.get(f"/api/export?{asked}&format=json").json()
    assert whole["moments"] == hits
    assert whole["query"]["text"] == "red"
    only = served.get(f"/api/export?{asked}&format=json&only={hits[1]['id']}").json()
    assert [hit["id"] for hit in only["moments"]] == [hits[1]["id"]]


def moment(**known) -> MomentAnswer:
    given = {
        "id": "c", "video": "v", "name": "a.mp4", "folder": "f", "start": 1.0, "end": 2.0,
        "peak": 1.5, "score": 0.5, "band": "unsure", "probability": None, "missing": False,
        "duration": 9.0, "width": 1, "height": 1, "sound": True, "date": "2026-01-01",
        "codec": "h264", "playable": None, "others": 0, "duplicates": [], "steps": None, "why": [],
    }  # fmt: skip
    return MomentAnswer(**{**given, **known})


@pytest.mark.parametrize("name", ["=1+1.mp4", "+x", "-2", "@SUM(A1)", "\tx", "\rx"])
def test_spreadsheets_run_nothing(name):
    (row,) = csv.DictReader(io.StringIO(as_csv([moment(name=name)], raw=False), newline=""))
    assert row["name"] == "'" + name
    (row,) = csv.DictReader(io.StringIO(as_csv([moment(name=name)], raw=True), newline=""))
    assert row["name"] == name


def test_an_edit_list_counts_frames():
    text = as_edl([moment(start=3661.04, end=3663.0), moment(name="b\nc.mp4", start=0, end=2)], "t")
    lines = text.split("\r\n")
    assert lines[0] == "TITLE: t"
    assert lines[3] == (
        "001  A        V     C        01:01:01:01 01:01:03:00 00:00:00:00 00:00:01:24"
    )
    assert lines[5].endswith("00:00:00:00 00:00:02:00 00:00:01:24 00:00:03:24")
    assert lines[6] == "* FROM CLIP NAME: b c.mp4"


def act(server, action: str):
    return server.client.post("/api/index", json={"action": action}, headers=server.writing)


def test_a_first_run_offers_the_demo(serve, tmp_path):
    with serve(tmp_path / "lib") as server:
        status = server.wait(lambda status: status["state"] != "loading")
        assert (status["state"], status["demo"]) == ("first_run", True)
        answer = server.get("/api/search?q=red")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no_library")
        assert act(server, "update").json()["error"]["code"] == "nothing"


def test_new_files_appear_while_it_is_searched(serve, own_world, colour_video):
    with serve(own_world.library) as server:
        before = server.wait(lambda status: status["state"] == "ready")
        colour_video(own_world.folder / "yellow.mp4", (220, 220, 20), seconds=2)
        assert act(server, "update").status_code == 202
        failures = 0
        while server.json("/api/status")["library"]["videos"] < 5:
            failures += server.get("/api/search?q=yellow").status_code != 200
            time.sleep(0.1)
        assert failures == 0
        assert server.json("/api/search", q="yellow")["moments"][0]["name"] == "yellow.mp4"
        ended = server.wait(lambda status: status["indexing"]["state"] == "done")
        assert ended["generation"] != before["generation"]


def test_a_failed_file_is_tried_again(serve, own_world, colour_video):
    with serve(own_world.library) as server:
        server.wait(lambda status: status["state"] == "ready")
        colour_video(own_world.folder / "broken.mp4", (220, 220, 20), seconds=2)
        assert act(server, "retry").status_code == 202
        server.wait(lambda status: status["library"]["failed"] == 0)
        assert server.json("/api/failures") == {"failures": []}


def test_another_process_that_writes_is_seen_and_not_disturbed(serve, own_world):
    library = moviola.open_library(own_world.library)
    with serve(own_world.library) as server:
        server.wait(lambda status: status["state"] == "ready")
        with library.writer():
            code = (
                "import sys, pathlib; from moviola.serve.indexing.runs import IndexRun; "
                "print(IndexRun(pathlib.Path(sys.argv[1])).answer().state)"
            )
            command = [sys.executable, "-c", code, str(own_world.library)]
            done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
            assert done.stdout.strip() == "elsewhere"
            assert server.get("/api/search?q=red").status_code == 200


def test_another_model_than_the_one_that_indexed_is_told(serve, own_world):
    card = own_world.library / "library.json"
    parts = json.loads(card.read_text())
    parts["space"]["weights"] = "others"
    card.write_text(json.dumps(parts))
    with serve(own_world.library) as server:
        status = server.wait(lambda status: status["state"] != "loading")
        assert (status["state"], status["problem"]["code"]) == ("mismatch", "space_mismatch")
        assert "weights" in status["problem"]["message"]
        answer = server.get("/api/search?q=red")
        for message in (status["problem"]["message"], answer.json()["error"]["message"]):
            assert str(own_world.library.parent) not in message
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "space_mismatch")
        assert server.json("/api/videos")["found"] == 4  # what is there can still be looked at


def test_a_damaged_library_is_told(serve, own_world):
    (own_world.library / "library.json").write_text("{")
    with serve(own_world.library) as server:
        status = server.wait(lambda status: status["state"] != "loading")
        assert (status["state"], status["problem"]["code"]) == ("damaged", "corrupt")
        assert server.get("/api/search?q=red").status_code == 503


def test_garbage_collections_skip_what_was_loaded(serve, own_world):
    gc.unfreeze()
    with serve(own_world.library) as server:
        server.wait(lambda status: status["state"] == "ready")
        assert gc.get_freeze_count() > len(gc.get_objects())


def test_paths_of_the_cache_hold_no_names_of_requests(served):
    for name in ("p-" + "../x", "p-..", "p-%2e%2e"):
        assert served.get(f"/media/pictures/{name}").status_code in (404, 422)
    assert Path(served.settings.cache).name == "cache"
