"""Libraries to look at, servers to look through, and a browser to look with.

`make browser` installs what these tests need beside Python: Chromium, node and the two packages
of `package-lock.json`. Without them the tests are skipped, and say so.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import moviola

HERE = Path(__file__).parent
SHOTS = HERE / "screenshots"
SEED = 2026
VIDEOS = 24
SEGMENT = "windows:2/1"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def _missing() -> str | None:
    """What is missing for these tests to run, or None."""
    if _chromium() is None:
        return "no Chromium"
    if shutil.which("node") is None:
        return "no node"
    if not (HERE / "node_modules" / "playwright-core").is_dir():
        return "no playwright-core"
    return None


def _chromium() -> str | None:
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, _BROWSERS)), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = _missing()
    if missing is None:
        return
    for item in items:
        if "browser" in item.keywords:
            item.add_marker(pytest.mark.skip(reason=f"{missing}; `make browser` installs it"))


@dataclass(frozen=True, slots=True)
class Server:
    """A running `moviola serve`."""

    address: str
    process: subprocess.Popen[str]

    def get(self, path: str) -> Any:
        """The JSON answer to a GET."""
        with urllib.request.urlopen(self.address + path, timeout=60) as answer:  # noqa: S310
            return json.load(answer)


@contextmanager
def _serving(library: Path, log: Path, *words: str, port: int | None = None) -> Iterator[Server]:
    """Start `moviola serve` in a process of its own, and end it with the signal of Ctrl-C."""
    command = [sys.executable, "-m", "moviola", "serve", *words, "--library", str(library)]
    command += ["--no-browser", "--port", str(port or _free_port())]
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, text=True)
    server = Server(f"http://127.0.0.1:{command[-1]}", process)
    try:
        _await(server, log)
        yield server
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def _await(server: Server, log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if server.process.poll() is not None:
            break
        try:
            if server.get("/api/status")["state"] != "loading":
                return
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.1)
    pytest.fail(f"the server did not start: {log.read_text()}")


def _free_port() -> int:
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture(scope="session")
def logs(tmp_path_factory) -> Path:
    """The folder of what the servers print and log."""
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="session")
def serving(logs) -> Callable[..., Any]:
    """`serving(library, *words, port=None)`: a context manager that gives a `Server`."""

    def start(library: Path, *words: str, port: int | None = None) -> Any:
        return _serving(library, logs / f"{library.name}-{time.time_ns()}.log", *words, port=port)

    return start


@pytest.fixture(scope="session")
def world(tmp_path_factory) -> Path:
    """A folder with a generated world of `VIDEOS` videos."""
    from moviola.synthetic import shapes

    root = tmp_path_factory.mktemp("world")
    shapes.generate(root, seed=SEED, videos={"test": VIDEOS})
    return root


@pytest.fixture(scope="session")
def world_library(world, tmp_path_factory) -> Path:
    """A library of that world, and of three files that cannot be read."""
    broken = world / "broken"
    broken.mkdir()
    whole = next((world / "videos").glob("*.mp4")).read_bytes()
    (broken / "cut short.mp4").write_bytes(whole[:300])
    (broken / "empty.mp4").write_bytes(b"")
    (broken / "page.mp4").write_bytes(b"<html>not found</html>" * 40)
    library = tmp_path_factory.mktemp("libraries") / "world"
    moviola.index([world / "videos", broken], library=library, model="shapes", segment=SEGMENT)
    return library


@pytest.fixture(scope="session")
def world_server(world_library, serving) -> Iterator[Server]:
    """A server of that library."""
    with serving(world_library) as server:
        yield server


@pytest.fixture(scope="session")
def question(world, world_library) -> dict[str, Any]:
    """A caption with a strong answer, and what is true of it: file name, start and end."""
    from moviola.experiments.demo.run import Truth

    truth = Truth.read(world)
    for asked in truth.questions:
        moment, *_ = moviola.search(asked.query, library=world_library, top=3, per_video=1)
        if moment.band == "strong" and truth.is_right(asked.claim, moment) and moment.start > 1:
            return {
                "query": asked.query,
                "name": moment.path.name,
                "start": moment.start,
                "end": moment.end,
            }
    pytest.fail("the generated world has no caption with a strong and right answer")


@pytest.fixture
def look(tmp_path) -> Callable[..., str]:
    """`look(scenario, server, **data)`: what a scenario prints; fails with what it saw."""

    def run(scenario: str, server: Server, *, seconds: float = 150, **data: Any) -> str:
        given = tmp_path / f"{scenario}.json"
        given.write_text(json.dumps(data))
        done = subprocess.run(
            ["node", HERE / "driver.mjs", scenario, server.address, SHOTS, given],
            env={**os.environ, "CHROMIUM": _chromium() or ""},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if done.returncode:
            pytest.fail(f"{scenario}: {done.stderr or done.stdout}", pytrace=False)
        return done.stdout

    return run
