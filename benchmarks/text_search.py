"""Measure the search of passages by words, on a million made-up ones by default.

Words follow Zipf's law. Each kind of query is taken out of random passages, so that frequent words
are asked for as often as they occur:

    python benchmarks/text_search.py --passages 1000000
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np

from moviola.core import Clip, FileCode, Passage, Readout, Space, Span, VideoInfo, clip_id
from moviola.library import (
    ChannelReading,
    Library,
    LibraryCard,
    LibraryWriter,
    VideoName,
    VideoRecord,
)
from moviola.retrieve.query import Query
from moviola.retrieve.search import find_moments
from moviola.retrieve.texts import Texts

WORDS = 200_000
OF_ONE_VIDEO = 1000
NEW = 10_000
CHANNELS = ("subtitles", "speech", "writing", "names")


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=200)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    texts = draw_texts(arguments.passages + NEW, rng)
    with tempfile.TemporaryDirectory() as folder:
        library = make_library(Path(folder) / "library")
        took, cpu = timed(lambda: add(library, texts[: arguments.passages]))
        print(
            f"write {arguments.passages:,} passages and index them: {took:.1f} s, {cpu:.1f} CPU s"
        )
        reader = Library.open(library.path)
        took, cpu = timed(reader.indexed_passages)
        print(f"open the index: {took:.2f} s, {cpu:.2f} CPU s")
        measure_queries(reader, texts[: arguments.passages], arguments.queries, rng)
        measure_new(library, reader, texts[arguments.passages :])


def measure_queries(
    library: Library, texts: list[str], count: int, rng: np.random.Generator
) -> None:
    """Print the percentiles of each kind of query."""
    found = Texts.of(library)
    snapshot = library.snapshot()
    assert found is not None

    def search(words: str) -> None:
        query = Query.parse(words)
        find_moments(query, snapshot, None, judge=None, texts=found, top=10)

    search("warm up")
    for kind, make in KINDS.items():
        times: list[tuple[float, float]] = []
        for _ in range(count):
            words = make(draw_words(texts, rng), rng)
            times.append(timed(lambda words=words: search(words)))
        clock, cpu = (np.percentile(row, [50, 95]) for row in 1000 * np.array(times).T)
        print(
            f"{kind:14} p50 {clock[0]:6.1f}  p95 {clock[1]:6.1f} ms; "
            f"of the processor p50 {cpu[0]:6.1f}  p95 {cpu[1]:6.1f} ms"
        )


def measure_new(library: Library, reader: Library, texts: list[str]) -> None:
    """Print when new passages are found after their commit, and what merging them costs."""
    with library.writer() as writer:
        write(writer, "f" * 32, [f"neverbefore {text}" for text in texts])
        writer.commit()
        began, cpu = time.perf_counter(), time.process_time()
        reader.advance()
        found = Texts.of(reader)
        assert found is not None
        hits = find_moments(
            Query.parse("neverbefore"),
            reader.snapshot(),
            None,
            judge=None,
            texts=found,
            top=10,
            per_video=None,
        )
        assert hits.moments
        print(
            f"{len(texts):,} new passages are found {time.perf_counter() - began:.2f} s after "
            f"their commit ({time.process_time() - cpu:.2f} CPU s)"
        )
        cpu, began = time.process_time(), time.perf_counter()
    print(f"merge them: {time.perf_counter() - began:.2f} s, {time.process_time() - cpu:.2f} CPU s")
    print(f"memory at most: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


def mistype(word: str, rng: np.random.Generator) -> str:
    """Swap two letters."""
    at = int(rng.integers(len(word) - 1))
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


KINDS: dict[str, Callable[[list[str], np.random.Generator], str]] = {
    "words": lambda words, _: " ".join(words),
    "phrase": lambda words, _: f'"{" ".join(words)}"',
    "one channel": lambda words, _: f'written:"{" ".join(words)}"',
    "beginning": lambda words, _: f"{words[0][:4]}*",
    "words, typos": lambda words, rng: " ".join(mistype(word, rng) for word in words),
    "phrase, typos": lambda words, rng: f'"{" ".join(mistype(word, rng) for word in words)}"',
}
DIMENSION = 8
INFO = VideoInfo(9e9, 320, 240, 225, "h264", "mp4", has_sound=True)


def draw_texts(count: int, rng: np.random.Generator) -> list[str]:
    """Draw texts of four to twelve words."""
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    words = np.array(
        ["".join(rng.choice(letters, rng.integers(3, 10))) for _ in range(WORDS)], object
    )
    shares = 1 / np.arange(1, WORDS + 1)
    lengths = rng.integers(4, 13, count)
    drawn = words[rng.choice(WORDS, lengths.sum(), p=shares / shares.sum())]
    ends = np.append(0, lengths.cumsum()).tolist()
    return [" ".join(drawn[a:b]) for a, b in pairwise(ends)]


def draw_words(texts: list[str], rng: np.random.Generator) -> list[str]:
    """Take one to four words that stand beside each other out of a text."""
    words = texts[int(rng.integers(len(texts)))].split()
    length = int(rng.integers(1, 5))
    first = int(rng.integers(len(words) - length + 1))
    return words[first : first + length]


def make_library(path: Path) -> Library:
    """Make an empty library."""
    space, readout = Space("none", "1", "1", DIMENSION), Readout("none")
    return Library.create(path, LibraryCard("none", space, readout, readout, "windows:6/3"))


def record_of(video: str) -> VideoRecord:
    """Make the record of a video."""
    path = Path("/videos") / f"{video}.mp4"
    return VideoRecord(video, (VideoName(path, path.parent, 1, 1),), FileCode.OK, size=1, info=INFO)


def write(writer: LibraryWriter, video: str, texts: list[str]) -> None:
    """Add a video of one clip, with texts as its passages."""
    record, span = record_of(video), Span(0.0, float(len(texts)))
    rows = np.eye(1, DIMENSION, dtype=np.float32)
    clips = [Clip(clip_id(video, span), record.path, span)]
    writer.add(record, clips, rows, readings_of(passages_of(video, texts)))


def passages_of(video: str, texts: list[str]) -> list[Passage]:
    """Make passages of a video, one a second, of each channel in turn."""
    return [
        Passage(video, Span(float(at), at + 1.0), text, CHANNELS[at % len(CHANNELS)])
        for at, text in enumerate(texts)
    ]


def readings_of(passages: list[Passage]) -> list[ChannelReading]:
    """Part passages by their channels."""
    return [
        ChannelReading(name, "1", tuple(each for each in passages if each.channel == name))
        for name in CHANNELS
    ]


def add(library: Library, texts: list[str]) -> None:
    """Write texts as passages of videos."""
    with library.writer() as writer:
        for number, first in enumerate(range(0, len(texts), OF_ONE_VIDEO)):
            write(writer, f"{number:032x}", texts[first : first + OF_ONE_VIDEO])


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds and the CPU seconds of some work."""
    began, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - cpu


if __name__ == "__main__":
    main()
