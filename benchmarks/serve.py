"""How fast a server answers. Run: `python benchmarks/serve.py`, from anywhere.

A real `moviola serve` over a library of 100,000 clips (1,000 videos, 512 numbers a vector) with a
text tower of CLIP ViT-B/32's size, asked over HTTP from another process on the same machine:

* one search after another, each text new, as somebody types;
* a hundred at once, several times;
* the first again while 200 slow clients hold connections: half of them never finish their
  request, half read a video a few bytes at a time.

Times are from sending a request to having parsed its JSON. `--padded` encodes all texts at 77
tokens, as some towers must; `--clips` changes the size.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Self
from urllib.parse import quote

import clip_sized
import numpy as np

from moviola.core import Clip, Span, clip_id
from moviola.library import Library, LibraryCard, scan
from moviola.video import probe

SUFFIXES = frozenset({".mp4"})
WORDS = [
    "a",
    "the",
    "man",
    "woman",
    "dog",
    "cat",
    "child",
    "car",
    "street",
    "beach",
    "red",
    "blue",
    "green",
    "runs",
    "jumps",
    "eats",
    "sings",
    "plays",
    "guitar",
    "ball",
    "water",
    "snow",
    "night",
    "crowd",
    "small",
    "large",
    "old",
    "young",
    "two",
    "three",
    "kitchen",
    "garden",
    "road",
]
SLOW = 200


def film(path: Path) -> None:
    """A video of 303 s, small and one frame a second: what is shown of it costs something."""
    import av

    x, y = np.meshgrid(np.arange(128), np.arange(72))
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=1, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = 128, 72, "yuv420p"
        for second in range(303):
            pixels = np.stack([2 * x, 3 * y, 0 * x + second % 256], axis=2).astype(np.uint8)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        output.mux(stream.encode())


def box(payload: bytes) -> bytes:
    """An MP4 box that players skip: copies that end in different ones are different videos."""
    return (len(payload) + 8).to_bytes(4, "big") + b"free" + payload


def build(place: Path, clips: int, *, padded: bool) -> Path:
    """A library of made-up vectors over real videos that look the same; one is a large file."""
    folder = place / "videos"
    folder.mkdir()
    per_video = 100
    film(folder / "00000.mp4")
    reel = (folder / "00000.mp4").read_bytes()
    for number in range(clips // per_video):
        size = 64 if number else 64 << 20
        (folder / f"{number:05d}.mp4").write_bytes(reel + box(os.urandom(size)))
    encoder = clip_sized.ClipSized(padded=padded)
    name = "clip_sized:load_padded" if padded else "clip_sized:load"
    card = LibraryCard(
        name, encoder.space, encoder.video_readout, encoder.text_readout, "windows:6/3"
    )
    library = Library.create(place / "library", card)
    spans = [Span(3.0 * n, 3.0 * n + 6) for n in range(per_video)]
    info = probe(folder / "00000.mp4")
    rng = np.random.default_rng(0)
    with library.writer() as writer:
        for video in writer.plan(scan([folder], SUFFIXES)).decode:
            # A video's windows resemble each other, as those of real ones do.
            rows = rng.standard_normal((1, 512)) + 0.7 * rng.standard_normal((per_video, 512))
            rows /= np.linalg.norm(rows, axis=1, keepdims=True)
            own = [Clip(clip_id(video.id, span), video.path, span) for span in spans]
            writer.add(video.record(info), own, rows.astype(np.float32))
    return place / "library"


class Server:
    """A `moviola serve` of its own; ends with the block."""

    def __init__(self, library: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = [sys.executable, "-m", "moviola", "serve", "--no-browser"]
        command += ["--port", str(self.port), "--library", str(library)]
        began = time.perf_counter()
        self.process = subprocess.Popen(  # noqa: S603 -- our own program
            command, cwd=Path(__file__).parent, stderr=subprocess.DEVNULL
        )
        while not self._is_ready():
            time.sleep(0.2)
        self.seconds_to_ready = time.perf_counter() - began

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def _is_ready(self) -> bool:
        if self.process.poll() is not None:
            raise SystemExit("the server ended")
        try:
            return self.get("/api/status")["state"] == "ready"
        except OSError:
            return False

    def get(self, path: str) -> dict:
        """The JSON behind a path."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            body = json.loads(answer.read())
            if answer.status != 200:
                raise SystemExit(f"{answer.status} {body}")
            return body
        finally:
            connection.close()

    def memory(self) -> int:
        """Resident bytes."""
        import psutil

        return psutil.Process(self.process.pid).memory_info().rss

    def cpu(self) -> float:
        """Processor seconds so far."""
        import psutil

        times = psutil.Process(self.process.pid).cpu_times()
        return times.user + times.system


def queries(seed: int, count: int) -> list[str]:
    """Sentences that nobody asked before."""
    rng = random.Random(seed)  # noqa: S311 -- sentences, no secrets
    return [
        " ".join(rng.choices(WORDS, k=rng.randint(3, 9))) + f" {seed} {number}"
        for number in range(count)
    ]


def one_after_another(server: Server, what: str, texts: list[str]) -> None:
    """Searches over one connection, as a page makes them."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    times, took, before = [], [], server.cpu()
    for text in texts:
        began = time.perf_counter()
        connection.request("GET", f"/api/search?top=60&q={quote(text)}")
        body = json.loads(connection.getresponse().read())
        times.append(time.perf_counter() - began)
        took.append((body["took"]["score_ms"], body["took"]["rank_ms"]))
        assert len(body["moments"]) == 60
    connection.close()
    cpu = (server.cpu() - before) / len(texts)
    score, rank = (statistics.median(part) for part in zip(*took, strict=True))
    tell(what, times)
    print(
        f"{'':<44} median: model and product {score:.0f} ms, ranking {rank:.0f} ms; "
        f"server cpu {cpu * 1e3:.0f} ms a search"
    )


def at_once(server: Server, what: str, seeds: range, together: int = 100) -> None:
    """Many searches that are sent at the same moment, each over its own connection.

    Once for each seed, which must be new: what was asked before need not be encoded again.
    """
    times: list[float] = []
    failed: list[str] = []

    async def ask(text: str) -> None:
        began = time.perf_counter()
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(
            f"GET /api/search?top=60&q={quote(text)} HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{server.port}\r\nConnection: close\r\n\r\n".encode()
        )
        answer = await reader.read()
        times.append(time.perf_counter() - began)
        if b" 200 " not in answer[:20]:
            failed.append(answer[:200].decode(errors="replace"))
        writer.close()

    async def all_of_them(seed: int) -> None:
        await asyncio.gather(*map(ask, queries(seed, together)))

    for seed in seeds:
        asyncio.run(all_of_them(seed))
    tell(what, times)
    print(f"{'':<44} {len(failed)} of {len(times)} failed")
    if failed:
        raise SystemExit(failed[0])


class SlowClients:
    """Connections that take their time, until the block ends."""

    def __init__(self, server: Server, count: int) -> None:
        self._server = server
        self._count = count
        self._sockets: list[socket.socket] = []
        self._stop = threading.Event()

    def __enter__(self) -> Self:
        video = self._server.get("/api/search?q=first&top=1000")["moments"]
        large = next(moment["video"] for moment in video if moment["name"] == "00000.mp4")
        for number in range(self._count):
            client = socket.create_connection(("127.0.0.1", self._server.port))
            head = f"Host: 127.0.0.1:{self._server.port}\r\n"
            if number % 2:
                client.sendall(f"GET /api/status HTTP/1.1\r\n{head}X-Slow: ".encode())
            else:
                client.sendall(f"GET /media/{large} HTTP/1.1\r\n{head}\r\n".encode())
            self._sockets.append(client)
        threading.Thread(target=self._drip, daemon=True).start()
        return self

    def _drip(self) -> None:
        while not self._stop.wait(1.0):
            for number, client in enumerate(self._sockets):
                try:
                    if number % 2:
                        client.sendall(b"x")
                    else:
                        client.recv(100)
                except OSError:
                    continue

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for client in self._sockets:
            client.close()


def tell(what: str, times: list[float]) -> None:
    """Print the quantiles."""
    ordered = sorted(times)
    p50, p95 = statistics.median(ordered), ordered[max(0, round(0.95 * len(ordered)) - 1)]
    print(
        f"{what:<44} p50 {p50 * 1e3:7.0f} ms   p95 {p95 * 1e3:7.0f} ms   "
        f"max {ordered[-1] * 1e3:7.0f} ms   ({len(ordered)})",
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=100_000)
    parser.add_argument("--padded", action="store_true")
    parser.add_argument("--library", type=Path, help="One that an earlier run kept with --keep.")
    parser.add_argument("--keep", type=Path, help="Build the library there and leave it.")
    asked = parser.parse_args()
    if asked.keep:
        asked.keep.mkdir(parents=True)
        print(build(asked.keep, asked.clips, padded=asked.padded))
        return
    with tempfile.TemporaryDirectory() as place:
        library = asked.library or build(Path(place), asked.clips, padded=asked.padded)
        with Server(library) as server:
            measure(server)


def measure(server: Server) -> None:
    """All of it, once."""
    print(f"ready after {server.seconds_to_ready:.1f} s, {server.memory() >> 20} MiB resident")
    one_after_another(server, "warming up", queries(1, 10))
    one_after_another(server, "searches, one after another", queries(2, 100))
    at_once(server, "searches, 100 at once", range(1000, 1005))
    with SlowClients(server, SLOW):
        one_after_another(server, f"one after another, {SLOW} slow clients", queries(3, 50))
        at_once(server, f"100 at once, {SLOW} slow clients", range(2000, 2003))
    print(f"{server.memory() >> 20} MiB resident at the end")


if __name__ == "__main__":
    main()
