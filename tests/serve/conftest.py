"""Small servers over small libraries, asked without a network."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import moviola
from moviola.serve import Settings, create_app

ECHO = "moviola.testing:EchoEncoder"
RED, GREEN, BLUE = (220, 20, 20), (20, 200, 20), (20, 20, 220)
PORT = 7860
OURS = f"http://127.0.0.1:{PORT}"


@dataclass
class Served:
    """A client of a running server."""

    client: TestClient
    settings: Settings

    @property
    def writing(self) -> dict[str, str]:
        """Headers that the page's own writes carry."""
        return {"sec-fetch-site": "same-origin", "x-moviola-token": self.settings.token}

    def get(self, path: str, **options):
        return self.client.get(path, **options)

    def json(self, path: str, **params):
        answer = self.client.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def wait(self, condition: Callable[[dict], bool], seconds: float = 60.0) -> dict:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            status = self.json("/api/status")
            if condition(status):
                return status
            time.sleep(0.05)
        raise AssertionError(f"it never came to that: {status}")


@contextmanager
def serving(library: Path, **options) -> Iterator[Served]:
    """A server over `library`, its lifespan running."""
    settings = Settings(library, PORT, **options)
    with TestClient(create_app(settings), base_url=OURS) as client:
        yield Served(client, settings)


@pytest.fixture(scope="session")
def serve():
    """`serving`, for tests that bring their own library."""
    return serving


@dataclass
class World:
    """A library of colours in folders."""

    folder: Path
    library: Path


def make_world(place: Path, colour_video) -> World:
    videos = place / "videos"
    (videos / "trips" / "sea").mkdir(parents=True)
    colour_video(videos / "red-green.mp4", RED, GREEN, seconds=6)
    colour_video(videos / "trips" / "green-blue.mp4", GREEN, BLUE, seconds=6)
    colour_video(videos / "trips" / "sea" / "blue.mp4", BLUE, seconds=4)
    colour_video(videos / "trips" / "sea" / "blue #2?%41.mp4", BLUE, BLUE, seconds=5)
    (videos / "broken.mp4").write_text("no video")
    # Names hold colours as well; what they answer is tested in test_passages.py.
    options = {"model": ECHO, "workers": 1, "without_channels": ["names"]}
    moviola.index([videos], library=place / "lib", **options)
    return World(videos, place / "lib")


@pytest.fixture(scope="session")
def world(tmp_path_factory, colour_video) -> World:
    return make_world(tmp_path_factory.mktemp("served"), colour_video)


@pytest.fixture(scope="session")
def served(world) -> Iterator[Served]:
    with serving(world.library) as server:
        server.wait(lambda status: status["state"] == "ready")
        yield server


@pytest.fixture
def own_world(tmp_path, colour_video) -> World:
    """A world of its own, for tests that change it."""
    return make_world(tmp_path, colour_video)
