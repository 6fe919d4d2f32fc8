"""Decoding and a model side by side: the pipeline against the slower of the two alone.

The model waits instead of computing, as one on a GPU lets the processor do.

Run: python benchmarks/overlap.py [videos] [rounds]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from recording import record

from encode import film
from moviola.core import Frames, UniformSampler
from moviola.encode.runtime.preprocessing import Preprocessing
from moviola.encode.two_tower.kinds import KINDS
from moviola.pipeline.encode.stages import StageSeconds
from moviola.pipeline.encode.streaming import encode_stream
from moviola.video import DecodePool, ReadRequest, WindowSegmenter

SHARES = {"half of decoding": 0.5, "as slow as decoding": 1.0, "twice as slow": 2.0}


class Waiting:
    """An encoder on a device beside the processor: it takes its time, and no core."""

    sampler = UniformSampler(8)

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.shrink = Preprocessing.from_config(KINDS["clip"].processor).shrink_frames

    def encode_videos(self, clips: Sequence[Frames]) -> list[np.ndarray]:
        """Wait so long for every clip."""
        time.sleep(self._seconds * len(clips))
        return [np.zeros((1, 1), np.float32) for _ in clips]


def run(pool: DecodePool, paths: list[Path], seconds: float) -> tuple[float, int, StageSeconds]:
    """Encode all windows; return seconds by the clock, how many windows, and the stages."""
    encoder, stages = Waiting(seconds), StageSeconds()
    requests = [
        ReadRequest(i, p, WindowSegmenter(6, 3), encoder.sampler) for i, p in enumerate(paths)
    ]
    began = time.perf_counter()
    clips = sum(len(video.rows) for video in encode_stream(pool, requests, encoder, seconds=stages))
    return time.perf_counter() - began, clips, stages


def main() -> None:
    """Print and keep the shares."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    figures = []
    with tempfile.TemporaryDirectory() as folder, DecodePool() as pool:
        paths = [Path(folder) / f"{number}.mp4" for number in range(count)]
        for number, path in enumerate(paths):
            film(path, number, size=(1280, 720), rate=30)
        run(pool, paths, 0.0)  # starts the workers
        for name, share in (
            ("half of decoding", 0.5),
            ("as slow as decoding", 1.0),
            ("twice", 2.0),
        ):
            found = []
            for _ in range(rounds):
                decoding, clips, _ = run(pool, paths, 0.0)
                model = share * decoding
                both, _, stages = run(pool, paths, model / clips)
                found.append((max(decoding, model) / both, decoding, model, both, stages.wait))
            best = max(found)
            figures.append(
                {
                    "model": name,
                    "decoding alone, s": f"{best[1]:.2f}",
                    "model alone, s": f"{best[2]:.2f}",
                    "both, s": f"{best[3]:.2f}",
                    "the model waited, s": f"{best[4]:.2f}",
                    "share of the slower alone": f"{best[0]:.0%}",
                }
            )
    record(
        "overlap",
        "Decoding and the model side by side",
        figures,
        f"{count} files of 20 s, 720p, windows of 6 s every 3 s, the best of {rounds} rounds on "
        "shared cores. The model waits instead of computing; where it computes on the cores that "
        "decode, the two add up.",
    )


if __name__ == "__main__":
    main()
