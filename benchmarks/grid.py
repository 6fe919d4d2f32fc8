"""Frames of a grid encoded once, against the same model window by window, in one run.

CLIP ViT-B/32 with random weights on windows of 6 s every 3 s.

Run: python benchmarks/grid.py [seconds]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from recording import record

from encode import film
from moviola.core import Frames, GridSampler, Space, UniformSampler
from moviola.encode.runtime.preprocessing import Preprocessing
from moviola.encode.two_tower.encoder import TwoTowerEncoder
from moviola.encode.two_tower.kinds import KINDS
from moviola.encode.two_tower.loading import LoadedModel
from moviola.pipeline.encode.streaming import encode_stream
from moviola.video import DecodePool, ReadRequest, WindowSegmenter


class WindowByWindow:
    """The same encoder as one that sees clips whole."""

    def __init__(self, encoder: TwoTowerEncoder) -> None:
        self._encoder = encoder
        self.sampler, self.shrink = encoder.sampler, encoder.shrink

    def encode_videos(self, clips: list[Frames]) -> list[np.ndarray]:
        """Encode every clip."""
        return self._encoder.encode_videos(clips)


def counted(encoder: TwoTowerEncoder) -> list[float]:
    """Let `encoder` note frames and processor seconds of its vision tower."""
    spent = [0.0, 0.0]
    original = encoder._encode  # noqa: SLF001

    def encode(frames: Any) -> Any:
        began = time.process_time()
        found = original(frames)
        spent[0] += len(frames)
        spent[1] += time.process_time() - began
        return found

    encoder._encode = encode  # noqa: SLF001
    return spent


def main() -> None:
    """Print and keep the ratios."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    torch.manual_seed(0)
    config = transformers.CLIPConfig(text_config={"num_hidden_layers": 1})
    figures, rows, base = [], {}, {}
    ways = [
        ("16 frames a window, window by window", UniformSampler(16), WindowByWindow),
        ("8 frames a window, window by window", UniformSampler(8), WindowByWindow),
        ("8 frames a window, each once", UniformSampler(8), None),
        ("grid of 2 a second, window by window", GridSampler(2), WindowByWindow),
        ("grid of 2 a second, each once", GridSampler(2), None),
        ("grid of 1 a second, window by window", GridSampler(1), WindowByWindow),
        ("grid of 1 a second, each once", GridSampler(1), None),
    ]
    weights = transformers.CLIPModel(config).eval().state_dict()
    steps = Preprocessing.from_config(KINDS["clip"].processor)
    space = Space("benchmark", "1", "random", 512)
    with tempfile.TemporaryDirectory() as folder, DecodePool(1) as pool:
        path = Path(folder) / "film.mp4"
        film(path, 1, seconds=seconds)
        for name, sampler, wrap in ways:
            model = transformers.CLIPModel(config).eval()
            model.load_state_dict(weights)
            loaded = LoadedModel(model, KINDS["clip"], None, steps, space, Path(folder))
            encoder = TwoTowerEncoder(loaded, sampler=sampler)
            encoder.precision("clips")  # settled beforehand
            spent = counted(encoder)
            request = ReadRequest(0, path, WindowSegmenter(6, 3), sampler)
            (video,) = encode_stream(pool, [request], wrap(encoder) if wrap else encoder)
            found = np.concatenate(video.rows)
            cosine = (found * rows.setdefault(sampler.spec, found)).sum(1).min()
            most = base.setdefault("most", spent[1])
            own = base.setdefault(sampler.spec, spent[1])
            figures.append(
                {
                    "way": name,
                    "frames encoded": int(spent[0]),
                    "model, CPU s a minute": f"{spent[1] * 60 / seconds:.2f}",
                    "against 16 frames": f"{most / spent[1]:.2f} x",
                    "against its own window by window": f"{own / spent[1]:.2f} x",
                    "lowest cosine to that": f"{cosine:.6f}",
                }
            )
    record(
        "grid",
        "Frames on a grid, encoded once",
        figures,
        f"CLIP ViT-B/32, random weights, in {encoder.precision('clips')}; {seconds} s of video in "
        "windows of 6 s every 3 s. Two windows share each moment, so the same sampler gains 2 x; "
        "more comes from fewer frames, which are others than a sampler of 8 or 16 frames takes.",
    )


if __name__ == "__main__":
    main()
