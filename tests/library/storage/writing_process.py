"""A writer to be killed: indexes stand-in videos and prints what it has committed.

Run as `python writing_process.py MODE LIBRARY FOLDER`; the mode is `index` or `hold`.
"""

from __future__ import annotations

import hashlib
import sys
import time
from pathlib import Path

import numpy as np

from moviola.core import Clip, Span, VideoInfo, clip_id
from moviola.library import Library, scan

INFO = VideoInfo(9.0, 320, 240, 225, "h264", "mov", has_sound=True)


def say(*words: str) -> None:
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


def index(library: Library, folder: Path) -> None:
    with library.writer(on_commit=lambda ids: say("committed", *ids)) as writer:
        plan = writer.plan(scan([folder], frozenset({".mp4"})))
        say("planned")
        for place, video in enumerate(plan.decode):
            seed = int.from_bytes(hashlib.blake2b(video.id.encode(), digest_size=8).digest())
            rng = np.random.default_rng(seed)
            count = 1 + seed % 7
            rows = rng.standard_normal((count, library.card.space.dimension)).astype(np.float32)
            rows /= np.linalg.norm(rows, axis=1, keepdims=True)
            spans = [Span(3.0 * window, 3.0 * window + 6) for window in range(count)]
            clips = [Clip(clip_id(video.id, span), video.path, span) for span in spans]
            writer.add(video.record(INFO), clips, rows)
            if place % 3 == 2:
                writer.commit()
    say("done")


def hold(library: Library) -> None:
    with library.writer():
        say("held")
        time.sleep(600)


if __name__ == "__main__":
    opened = Library.open(Path(sys.argv[2]))
    if sys.argv[1] == "hold":
        hold(opened)
    else:
        index(opened, Path(sys.argv[3]))
