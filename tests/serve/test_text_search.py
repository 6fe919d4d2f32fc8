"""The API searches what is said, written and named, also in a library without vectors."""

from __future__ import annotations

import numpy as np
import pytest
from starlette.testclient import TestClient

from fixtures.shelf import INFO
from moviola.core import Passage, Readout, Space, Span
from moviola.library import NO_MODEL, ChannelReading, Library, LibraryCard, scan
from moviola.serve import Settings, create_app

PORT = 7861


@pytest.fixture
def client(tmp_path):
    videos = tmp_path / "videos"
    videos.mkdir()
    texts = {"a.mp4": ("writing", "EXIT"), "b.mp4": ("subtitles", "where is the exit")}
    for name in texts:
        (videos / name).write_bytes(name.encode())
    space, readout = Space(NO_MODEL, "", "", 1), Readout("")
    card = LibraryCard(NO_MODEL, space, readout, readout, "windows:6/3")
    library = Library.create(tmp_path / "library", card)
    with library.writer() as writer:
        for video in writer.plan(scan([videos], frozenset({".mp4"}))).decode:
            channel, text = texts[video.path.name]
            passage = Passage(video.id, Span(1, 3), text, channel)
            readings = [ChannelReading(channel, "1", (passage,))]
            writer.add(video.record(INFO), [], np.zeros((0, 1), np.float32), readings)
    settings = Settings(library=library.path, port=PORT)
    with TestClient(create_app(settings), base_url=f"http://127.0.0.1:{PORT}") as client:
        yield client


def test_texts_are_searched_without_vectors(client):
    found = client.get("/api/search", params={"q": "exit"}).json()
    assert [moment["name"] for moment in found["moments"]] == ["a.mp4", "b.mp4"]
    (reason,) = found["moments"][0]["why"]
    assert (reason["channel"], reason["text"], reason["start"]) == ("writing", "EXIT", 1)
    assert reason["words"] == [{"text": "EXIT", "first": 0, "last": 4, "start": None, "end": None}]


def test_channels_can_be_chosen(client):
    found = client.get("/api/search", params={"q": "exit", "channel": ["said"]}).json()
    assert [moment["name"] for moment in found["moments"]] == ["b.mp4"]
    assert found["query"]["channels"] == ["said"]
    found = client.get("/api/search", params={"q": "written:exit"}).json()
    assert found["query"]["terms"] == [{"text": "exit", "channel": "written"}]
    assert [moment["name"] for moment in found["moments"]] == ["a.mp4"]
    answer = client.get("/api/search", params={"q": "exit", "channel": ["smelled"]})
    assert answer.status_code == 422
    assert "smelled" in answer.json()["error"]["message"]
