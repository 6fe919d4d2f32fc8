"""How long a library takes to plan, to open and to search. Run: `python benchmarks/library.py`.

Figures are medians of several rounds in one process; the size on disk and the recall of half
precision stand beside them. `--files`, `--clips` and `--dimension` change the sizes.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from moviola.core import Clip, Readout, Space, Span, VideoInfo, clip_id
from moviola.library import Library, LibraryCard, NewVideo, scan
from moviola.retrieve.search import search_vector

SUFFIXES = frozenset({".mp4"})
INFO = VideoInfo(60.0, 1280, 720, 1500, "h264", "mov", has_sound=True)


def timed(what: str, run: Callable[[], object], rounds: int = 1) -> None:
    """Print the median wall time of `run`, and its CPU time."""
    walls, cpus = [], []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    wall, cpu = statistics.median(walls), statistics.median(cpus)
    print(f"{what:<48} {wall * 1e3:10.1f} ms wall {cpu * 1e3:10.1f} ms cpu")


def card(dimension: int) -> LibraryCard:
    """A card for made-up vectors."""
    readout = Readout("none")
    space = Space("benchmark", "1", "1", dimension)
    return LibraryCard("benchmark", space, readout, readout, "windows:6/3")


def add(library: Library, folder: Path, clips: int, rows: np.ndarray) -> None:
    """Index the folder's files with `clips` clips each, vectors taken from `rows`."""
    spans = [Span(3.0 * place, 3.0 * place + 6) for place in range(clips)]
    with library.writer() as writer:
        for place, video in enumerate(writer.plan(scan([folder], SUFFIXES)).decode):
            own = np.take(rows, range(place * clips, (place + 1) * clips), axis=0, mode="wrap")
            writer.add(video.record(INFO), windows(video, spans), own)


def windows(video: NewVideo, spans: list[Span]) -> list[Clip]:
    """The clips of one video."""
    return [Clip(clip_id(video.id, span), video.path, span) for span in spans]


def clustered(count: int, dimension: int) -> np.ndarray:
    """Unit vectors `(count, dimension)` around 200 centres."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((200, dimension), np.float32)
    rows = centres[rng.integers(0, 200, count)]
    rows += 0.7 * rng.standard_normal((count, dimension), np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def recall(rows: np.ndarray) -> float:
    """Recall@10 of vectors stored in float16 against float32, over 100 queries."""
    stored = rows.astype(np.float16).astype(np.float32)
    stored /= np.linalg.norm(stored, axis=1, keepdims=True)
    rng = np.random.default_rng(1)
    queries = rows[:100] + 0.05 * rng.standard_normal((100, rows.shape[1]), np.float32)
    exact = np.argpartition(-queries @ rows.T, 10)[:, :10]
    found = np.argpartition(-queries @ stored.T, 10)[:, :10]
    return float(np.mean([len({*a} & {*b}) / 10 for a, b in zip(exact, found, strict=True)]))


def planning(place: Path, files: int) -> None:
    """A folder of many files, indexed before."""
    folder = place / "many"
    for number in range(files):
        path = folder / f"{number % 100:02d}" / f"{number}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(str(number).encode())
    library = Library.create(place / "plan", card(8))
    timed(f"index {files} files, 1 clip each", lambda: add(library, folder, 1, clustered(files, 8)))
    timed(f"index {files} unchanged files", lambda: add(library, folder, 1, np.ones((1, 8))), 3)


def searching(place: Path, clips: int, dimension: int) -> None:
    """A library of many clips, ten a video."""
    folder = place / "wide"
    folder.mkdir()
    for number in range(clips // 10):
        (folder / f"{number}.mp4").write_bytes(str(number).encode())
    rows = clustered(clips, dimension)
    library = Library.create(place / "search", card(dimension))
    timed(f"index {clips} clips x {dimension}", lambda: add(library, folder, 10, rows))
    readout, space = library.card.text_readout, library.card.space
    query = rows[:1]

    def first() -> None:
        search_vector(Library.open(library.path), query, space, readout)

    timed("open, load and search once", first, 3)
    opened = Library.open(library.path)
    timed("reopen for writing", lambda: add(opened, place / "none", 1, rows), 3)
    search_vector(opened, query, space, readout)
    timed("search", lambda: search_vector(opened, query, space, readout), 30)
    timed(
        "search, every moment",
        lambda: search_vector(opened, query, space, readout, per_video=None),
        30,
    )
    timed("refresh without news", opened.refresh, 30)
    timed("verify", opened.verify)
    print(f"{'bytes on disk a clip':<48} {opened.status().bytes / clips:10.1f}")
    print(f"{'recall@10 of float16':<48} {recall(rows):10.4f}")


def main() -> None:
    """Run both parts in a temporary folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--clips", type=int, default=100_000)
    parser.add_argument("--dimension", type=int, default=256)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        planning(Path(folder), options.files)
        searching(Path(folder), options.clips, options.dimension)


if __name__ == "__main__":
    main()
