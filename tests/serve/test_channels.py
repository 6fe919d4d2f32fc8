"""Channels that are added to a library from the page."""

from __future__ import annotations

import pytest

import moviola
from fixtures.subtitled import Track, make_film
from moviola.core import MissingExtraError
from moviola.pipeline.passages.adding import estimate, find_outdated
from moviola.pipeline.passages.channels import choose_channels


@pytest.fixture
def quiet(tmp_path, serve):
    """A server over a library whose subtitles were not to be read."""
    videos = tmp_path / "videos"
    videos.mkdir()
    make_film(videos / "talk.mkv", [Track("subrip", [(1, 2, "an umbrella")])], seconds=4)
    library = tmp_path / "library"
    moviola.index([videos], library=library, model="none", without_channels=["subtitles"])
    with serve(library) as server:
        server.wait(lambda status: status["state"] == "ready")
        yield server


def states(server):
    return {each["name"]: each["state"] for each in server.json("/api/channels")["channels"]}


def test_a_channel_is_added_after_an_estimate(quiet):
    assert quiet.json("/api/search", q="umbrella")["moments"] == []
    assert (states(quiet)["subtitles"], states(quiet)["names"]) == ("off", "read")
    told = quiet.json("/api/channels/estimate", channel="subtitles")
    opened = moviola.pipeline.search.search.open_library(quiet.settings.library)
    jobs = find_outdated(opened.videos(), choose_channels(opened.card, ["subtitles"]))
    same = estimate(jobs)
    assert told["channels"] == ["subtitles"]
    assert (told["videos"], told["bytes"]) == (same.videos, same.bytes) == (1, same.bytes)
    assert told["seconds"] == pytest.approx(same.seconds)
    assert told["film"] == pytest.approx(4, abs=0.1)
    order = {"action": "channels", "channels": ["subtitles"]}
    answer = quiet.client.post("/api/index", json=order, headers=quiet.writing)
    assert answer.status_code == 202, answer.text
    assert answer.json()["indexing"]["what"] == "channels"
    quiet.wait(lambda status: any(e["name"] == "said" for e in status["library"]["covers"]))
    quiet.wait(lambda status: status["indexing"]["state"] == "done")
    assert quiet.json("/api/search", q="umbrella")["moments"][0]["why"][0]["text"] == "an umbrella"
    assert states(quiet)["subtitles"] == "read"


@pytest.mark.parametrize("name", ["nobody", "os:system", "fixtures.channels:Watcher", "../x", ""])
def test_no_request_names_code(quiet, name):
    order = {"action": "channels", "channels": [name]}
    answer = quiet.client.post("/api/index", json=order, headers=quiet.writing)
    assert answer.status_code == 422
    assert quiet.get("/api/channels/estimate", params={"channel": name}).status_code == 422
    assert quiet.json("/api/status")["indexing"]["state"] == "idle"


def test_adding_a_channel_is_a_change_like_others(quiet):
    order = {"action": "channels", "channels": ["subtitles"]}
    refused = quiet.client.post("/api/index", json=order)
    assert refused.status_code == 403
    nothing = {"action": "channels", "channels": []}
    answer = quiet.client.post("/api/index", json=nothing, headers=quiet.writing)
    assert answer.status_code == 422


def test_a_channel_that_lacks_its_extra_says_so(quiet, monkeypatch):
    def lacking(name):
        raise MissingExtraError(f"the channel {name!r} needs rapidocr; install it with: pip")

    monkeypatch.setattr("moviola.serve.routes.channels.load_channel", lacking)
    told = {each["name"]: each for each in quiet.json("/api/channels")["channels"]}
    assert told["writing"]["state"] == "not_installed"
    assert "rapidocr" in told["writing"]["message"]
    refused = quiet.get("/api/channels/estimate", params={"channel": "writing"})
    assert refused.json()["error"]["code"] == "not_installed"
