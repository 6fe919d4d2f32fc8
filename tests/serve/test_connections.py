"""A real server under clients that send slowly, wait, or send too much."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from moviola.serve import Settings, create_app
from moviola.serve.launch import connections
from moviola.serve.launch.run import bind, configure

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="raises limits of open files")


@contextmanager
def running(tmp_path) -> Iterator[Settings]:
    """The server as `moviola serve` runs it, over a library that is not there yet."""
    import uvicorn

    listener = bind("127.0.0.1", None)
    settings = Settings(tmp_path / "lib", listener.getsockname()[1])
    server = uvicorn.Server(configure(create_app(settings)))
    serving = asyncio.new_event_loop()
    thread = threading.Thread(target=serving.run_until_complete, args=[server.serve([listener])])
    thread.start()
    try:
        deadline = time.monotonic() + 30
        while not server.started:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield settings
    finally:
        server.should_exit = True
        thread.join(30)
        serving.close()


@contextmanager
def half_sent(port: int, count: int) -> Iterator[list[socket.socket]]:
    """Connections that begin a request and never end its head."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 8192), hard), hard))
    opened: list[socket.socket] = []
    try:
        for _ in range(count):
            each = socket.create_connection(("127.0.0.1", port), timeout=10)
            with contextlib.suppress(OSError):
                each.sendall(b"GET /api/status HTTP/1.1\r\nhost: 127.0")
            opened.append(each)
        yield opened
    finally:
        for each in opened:
            each.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def status_of(port: int) -> int:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        client.request("GET", "/api/status")
        return client.getresponse().status
    finally:
        client.close()


@contextmanager
def serving_process(library, files: int) -> Iterator[int]:
    """`moviola serve` in a process of its own that may open so many files; gives its port."""
    listener = bind("127.0.0.1", None)
    port = listener.getsockname()[1]
    listener.close()
    limited = (
        "import resource, runpy, sys; "
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({files}, {files})); "
        f"sys.argv[1:] = ['serve', '--library', {str(library)!r}, '--port', '{port}', "
        "'--no-browser']; runpy.run_module('moviola', run_name='__main__')"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", limited], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError):
                if status_of(port) == 200:
                    break
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.usefixtures("interruptible")
def test_eleven_hundred_half_sent_requests_silence_nobody(tmp_path):
    # A thousand and twenty-four files is what most systems let a process open.
    with serving_process(tmp_path / "lib", 1024) as port, half_sent(port, 1100):
        slowest = 0.0
        for _ in range(20):
            began = time.monotonic()
            assert status_of(port) == 200
            slowest = max(slowest, time.monotonic() - began)
    assert slowest < 2


def test_a_head_that_does_not_come_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.3)
    with running(tmp_path) as settings, half_sent(settings.port, 3) as opened:
        began = time.monotonic()
        for each in opened:
            with contextlib.suppress(ConnectionResetError):
                assert each.recv(100) == b""
        assert time.monotonic() - began < 5


def test_a_head_that_comes_byte_by_byte_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.5)
    with running(tmp_path) as settings:
        client = socket.create_connection(("127.0.0.1", settings.port), timeout=10)
        sent = 0
        with client, contextlib.suppress(OSError):  # reset, or a broken pipe
            for byte in b"GET /api/status HTTP/1.1\r\nhost: 127.0.0.1\r\n" * 10:
                client.sendall(bytes([byte]))
                sent += 1
                time.sleep(0.02)
        assert sent < 100


def test_who_works_keeps_the_place_and_who_waits_gives_it_up(tmp_path, monkeypatch):
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 8)
    with running(tmp_path) as settings, half_sent(settings.port, 20):
        assert all(status_of(settings.port) == 200 for _ in range(10))


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "chunked"])
def test_a_body_of_21_megabytes_is_refused_and_not_reset(tmp_path, announced):
    size = 21 << 20
    with running(tmp_path) as settings:
        client = http.client.HTTPConnection("127.0.0.1", settings.port, timeout=30)
        headers = {
            "host": f"127.0.0.1:{settings.port}",
            "content-type": "image/png",
            "sec-fetch-site": "same-origin",
            "x-moviola-token": settings.token,
        }
        if announced:
            headers["content-length"] = str(size)
        parts = (bytes(1 << 20) for _ in range(21))
        client.request("POST", "/api/pictures", parts, headers)
        answer = client.getresponse()
        assert answer.status == 413
        assert b"at most" in answer.read()
        client.close()
        assert status_of(settings.port) == 200


def test_a_client_that_closes_afterwards_reads_the_refusal_too(tmp_path):
    size = 21 << 20
    with running(tmp_path) as settings:
        for path, kind in (("/api/pictures", "image/png"), ("/api/index", "application/json")):
            head = (
                f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{settings.port}\r\n"
                f"content-type: {kind}\r\ncontent-length: {size}\r\nconnection: close\r\n"
                f"sec-fetch-site: same-origin\r\nx-moviola-token: {settings.token}\r\n\r\n"
            )
            with socket.create_connection(("127.0.0.1", settings.port), timeout=30) as client:
                client.sendall(head.encode())
                for _ in range(21):
                    client.sendall(bytes(1 << 20))
                assert client.recv(100).startswith(b"HTTP/1.1 413")
