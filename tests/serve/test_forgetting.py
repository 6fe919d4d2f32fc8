"""Forgetting from the page: hidden at once, asked before many go, undone."""

from __future__ import annotations

import pytest

import moviola


def ask(server, path="/api/forget", **body):
    return server.client.post(path, json=body, headers=server.writing)


def names(server) -> set[str]:
    return {video["name"] for video in server.json("/api/videos")["videos"]}


@pytest.fixture
def server(serve, own_world):
    with serve(own_world.library) as running:
        running.wait(lambda status: status["state"] == "ready")
        yield running


def test_a_video_is_forgotten_at_once_and_brought_back(server):
    before = names(server)
    video = server.json("/api/search", q="red")["moments"][0]
    answer = ask(server, videos=[video["video"]]).json()
    assert (answer["files"], answer["present"]) == (1, 1)
    assert names(server) == before - {video["name"]}
    found = server.json("/api/search", q="red", duplicates="show")["moments"]
    assert video["video"] not in {moment["video"] for moment in found}
    assert server.get(f"/media/{video['video']}").status_code == 404
    assert server.get(f"/api/videos/{video['video']}").status_code == 404
    assert ask(server, "/api/forget/undo", undo=answer["undo"]).json() == {"files": 1}
    assert names(server) == before
    again = ask(server, "/api/forget/undo", undo=answer["undo"])
    assert (again.status_code, again.json()["error"]["code"]) == (404, "not_found")


def test_each_undo_brings_back_its_own(server):
    first, second = server.json("/api/videos", sort="name")["videos"][:2]
    undo = ask(server, videos=[first["video"]]).json()["undo"]
    ask(server, videos=[second["video"]])
    ask(server, "/api/forget/undo", undo=undo)
    assert first["name"] in names(server)
    assert second["name"] not in names(server)


def test_forgetting_everything_can_be_undone(server):
    everything = [video["video"] for video in server.json("/api/videos")["videos"]]
    broken = [failure["video"] for failure in server.json("/api/failures")["failures"]]
    undo = ask(server, videos=[*everything, *broken]).json()["undo"]
    assert server.json("/api/status")["state"] == "first_run"
    ask(server, "/api/forget/undo", undo=undo)
    assert server.json("/api/status")["state"] == "ready"
    assert len(names(server)) == len(everything)


def test_missing_files_are_marked_and_forgotten(server, own_world):
    gone = own_world.folder / "red-green.mp4"
    assert ask(server, missing=True).json()["files"] == 0
    gone.unlink()
    # Nothing was indexed since: a look at the file tells.
    (hit,) = [m for m in server.json("/api/search", q="red")["moments"] if m["name"] == gone.name]
    assert hit["missing"]
    assert server.json(f"/api/videos/{hit['video']}")["missing"]
    assert ask(server, missing=True).json()["files"] == 1
    assert gone.name not in names(server)


def test_the_command_line_marks_what_is_gone_as_well(own_world):
    (own_world.folder / "red-green.mp4").unlink()
    library = moviola.open_library(own_world.library)
    marks = {m.path.name: m.missing for m in moviola.search("red", library=library)}
    assert marks["red-green.mp4"]
    assert sum(marks.values()) == 1


def test_many_are_forgotten_only_when_agreed(server, monkeypatch):
    monkeypatch.setattr("moviola.serve.routes.forgetting.MANY", 1)
    videos = [video["video"] for video in server.json("/api/videos")["videos"][:2]]
    refused = ask(server, videos=videos)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "many")
    assert "2 files" in refused.json()["error"]["message"]
    assert set(videos) <= {v["video"] for v in server.json("/api/videos")["videos"]}
    assert ask(server, videos=videos, agreed=True).json()["files"] == 2


@pytest.mark.parametrize("path", ["/api/forget", "/api/forget/undo"])
def test_nobody_else_forgets(server, path):
    body = {"missing": True} if path == "/api/forget" else {"undo": "u-0"}
    for name in server.writing:
        headers = {k: v for k, v in server.writing.items() if k != name}
        assert server.client.post(path, json=body, headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("body", "status"), [({}, 422), ({"videos": ["0"]}, 404), ({"paths": ["/"]}, 422)]
)
def test_what_cannot_be_forgotten_is_told(server, body, status):
    assert ask(server, **body).status_code == status


def test_a_library_that_is_written_refuses(server, own_world):
    with moviola.open_library(own_world.library).writer():
        answer = ask(
            server, missing=True, videos=[server.json("/api/videos")["videos"][0]["video"]]
        )
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "locked")
