"""Memory of the main process above its model, and of the decoders, for hard inputs.

Run: python benchmarks/memory.py
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import psutil
from recording import record

MEBI = 1 << 20


def film(path: Path, *, size: tuple[int, int], frames: int, rate: int, shift: int = 0) -> None:
    """Write a moving texture in H.264."""
    width, height = size
    noise = np.random.default_rng(shift).integers(0, 256, (16, 32), dtype=np.uint8)
    texture = np.kron(
        np.tile(noise, (1, 2)), np.ones((height // 16 + 1, width // 32 + 1), np.uint8)
    )
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=rate, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(frames):
            at = (7 + shift) * number % width
            grey = np.ascontiguousarray(texture[:height, at : at + width])
            output.mux(
                stream.encode(av.VideoFrame.from_ndarray(grey, "gray").reformat(format="yuv420p"))
            )
        output.mux(stream.encode())


def short_clips(folder: Path) -> None:
    """Write 2,000 files of 2 s, each of its own content."""
    film(folder / "00000.mp4", size=(320, 240), frames=20, rate=10)
    data = (folder / "00000.mp4").read_bytes()
    for number in range(1, 2000):
        # A free box at the end makes it another file.
        box = (16).to_bytes(4, "big") + b"free" + number.to_bytes(8, "big")
        (folder / f"{number:05d}.mp4").write_bytes(data + box)


CASES: dict[str, Callable[[Path], None]] = {
    "2,000 files of 2 s": short_clips,
    "4K, 60 s": lambda folder: film(folder / "4k.mp4", size=(3840, 2160), frames=600, rate=10),
    "8K, 20 s": lambda folder: film(folder / "8k.mp4", size=(7680, 4320), frames=100, rate=5),
    "2 h, 320 x 240": lambda folder: film(
        folder / "long.mp4", size=(320, 240), frames=2 * 3600 * 4, rate=4
    ),
}


class Watcher:
    """Note the peak of resident memory of a process, and of its largest child."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._stop = threading.Event()
        self.main = self.worker = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(0.02):
            self.main = max(self.main, self._process.memory_info().rss)
            for child in self._process.children():
                try:
                    self.worker = max(self.worker, child.memory_info().rss)
                except psutil.NoSuchProcess:
                    continue

    def stop(self) -> None:
        """Stop looking."""
        self._stop.set()
        self._thread.join()


def child(folder: Path) -> None:
    """Index one folder in this process, and print its peaks as JSON."""
    import moviola
    from moviola.pipeline.search.aligned_encoder import load_aligned

    encoder = load_aligned("seeing:load", None)
    with tempfile.TemporaryDirectory() as place:
        small = Path(place) / "small"
        small.mkdir()
        film(small / "a.mp4", size=(320, 240), frames=20, rate=10)
        moviola.index([small], library=Path(place) / "warm", model="seeing:load")
        before = psutil.Process().memory_info().rss
        watcher, began = Watcher(), time.perf_counter()
        report = moviola.index([folder], library=Path(place) / "library", model="seeing:load")
        watcher.stop()
        assert report.failed == 0, report.failures
    print(
        json.dumps(
            {
                "clips": report.clips,
                "seconds": time.perf_counter() - began,
                "main": (watcher.main - before) / MEBI,
                "worker": watcher.worker / MEBI,
                "dimension": encoder.space.dimension,
            }
        )
    )


def main() -> None:
    """Print and keep the peaks."""
    figures = []
    for name, make in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder))
            done = subprocess.run(  # noqa: S603 - this script
                [sys.executable, __file__, folder], check=True, capture_output=True, text=True
            )
        found = json.loads(done.stdout.splitlines()[-1])
        figures.append(
            {
                "input": name,
                "clips": found["clips"],
                "main process above its model, MiB": round(found["main"]),
                "largest decoder, MiB": round(found["worker"]),
            }
        )
        print(figures[-1])
    record(
        "memory",
        "Memory while indexing",
        figures,
        "Peaks of resident memory over one run, windows of 6 s every 3 s, 16 frames reduced to 224 "
        "pixels; measured above the process that has loaded its model and indexed one small file.",
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        child(Path(sys.argv[1]))
    else:
        main()
