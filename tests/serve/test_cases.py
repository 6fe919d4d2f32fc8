"""Cases of the plan that no other test of the server holds, named by their ids."""

from __future__ import annotations

import random
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

import moviola
from moviola.serve.launch.run import bind


def test_s35_eight_clients_that_seek_get_the_bytes_they_asked_for(served, world):
    content = (world.folder / "red-green.mp4").read_bytes()
    moments = served.json("/api/search", q="red")["moments"]
    video = next(found["video"] for found in moments if found["name"] == "red-green.mp4")

    def seek(client: int) -> None:
        chance = random.Random(client)  # noqa: S311 - repeatable
        for _ in range(15):
            first = chance.randrange(len(content))
            last = chance.randrange(first, len(content))
            answer = served.get(f"/media/{video}", headers={"range": f"bytes={first}-{last}"})
            assert answer.status_code == 206
            assert answer.content == content[first : last + 1]

    with ThreadPoolExecutor(8) as clients:
        assert len(list(clients.map(seek, range(8)))) == 8


def test_s41_no_name_writes_a_header(serve, tmp_path, colour_video):
    name = 'a\r\nX-Evil: 1\r\n\r\n"; filename=b.mp4'
    (tmp_path / "videos").mkdir()
    made = colour_video(tmp_path / "red.mp4", (220, 20, 20), seconds=2)
    made.rename(tmp_path / "videos" / name)
    moviola.index(
        [tmp_path / "videos"],
        library=tmp_path / "lib",
        model="moviola.testing:EchoEncoder",
        without_channels=["names"],
    )
    with serve(tmp_path / "lib") as server:
        (found,) = server.json("/api/search", q="red")["moments"]
        for path in ("", "/cut?start=0&end=1", "/preview?start=0&end=1"):
            answer = server.get(f"/media/{found['video']}{path}")
            assert answer.status_code == 200, (path, answer.text)
            assert "x-evil" not in answer.headers
            for header, value in answer.headers.items():
                assert "\n" not in header + value
                assert "\r" not in header + value


def test_s50_a_port_that_is_taken_is_told_or_passed_over():
    with socket.create_server(("127.0.0.1", 0)) as holder:
        taken = holder.getsockname()[1]
        with pytest.raises(ValueError, match=rf"port {taken}: .*choose another with --port"):
            bind("127.0.0.1", taken)
    with bind("127.0.0.1", None) as first, bind("127.0.0.1", None) as second:
        assert first.getsockname()[1] != second.getsockname()[1]


def test_s51_a_hundred_searches_at_once_find_what_one_finds(served):
    questions = ["red", "green", "blue", "red or green"]
    alone = {text: served.json("/api/search", q=text)["moments"] for text in questions}

    def ask(number: int) -> None:
        text = questions[number % len(questions)]
        answer = served.get("/api/search", params={"q": text})
        assert answer.status_code == 200, answer.text
        assert answer.json()["moments"] == alone[text]

    with ThreadPoolExecutor(100) as clients:
        assert len(list(clients.map(ask, range(100)))) == 100
