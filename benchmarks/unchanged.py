"""Index a folder of ten thousand unchanged files again: processor seconds, and decodes.

Run: python benchmarks/unchanged.py [files]
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from recording import record

import moviola
from moviola.core import Clip, FileCode, Span, VideoInfo, clip_id
from moviola.library import scan
from moviola.pipeline.index.opening import locked_library, prepare
from moviola.video import VIDEO_SUFFIXES

MODEL = "moviola.testing:EchoEncoder"
INFO = VideoInfo(6.0, 64, 64, 150, "h264", "mov", has_sound=False, created=None)


def fill(folder: Path, library: Path, files: int) -> None:
    """Write small files, and a library that knows each as a video of one clip."""
    rng = np.random.default_rng(0)
    for number in range(files):
        place = folder / f"{number % 100:02d}"
        place.mkdir(exist_ok=True)
        (place / f"{number:06d}.mp4").write_bytes(rng.bytes(2048))
    old = time.time() - 3600
    for path in folder.rglob("*.mp4"):
        os.utime(path, (old, old))
    with locked_library(library) as (existing, held):
        options = {"model": MODEL, "segment": None, "head": None, "precision": None}
        opened, encoder, _ = prepare(library, existing, held, **options)
        row = np.eye(1, encoder.space.dimension, dtype=np.float32)
        with opened.writer(held=held) as writer:
            for video in writer.plan(scan([folder], VIDEO_SUFFIXES)).decode:
                span = Span(0.0, 6.0)
                clip = Clip(clip_id(video.id, span), video.path, span)
                writer.add(video.record(INFO, FileCode.OK), [clip], row)
            writer.commit()


def main() -> None:
    """Print and keep the figures."""
    files = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as place:
        folder, library = Path(place) / "videos", Path(place) / "library"
        folder.mkdir()
        fill(folder, library, files)
        spent = []
        for _ in range(3):
            began = time.process_time()
            report = moviola.index([folder], library=library, model=MODEL)
            spent.append(time.process_time() - began)
            assert (report.skipped, report.ok, report.seconds) == (files, 0, None)
        figures = [
            {
                "files": files,
                "decoded": 0,
                "CPU s, the first run": f"{spent[0]:.2f}",
                "CPU s, the best of the next": f"{min(spent[1:]):.2f}",
            }
        ]
    record(
        "unchanged",
        "Indexing a folder in which nothing changed",
        figures,
        "The model is a toy that loads at once; a real one adds its loading.",
    )


if __name__ == "__main__":
    main()
