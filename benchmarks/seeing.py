"""An encoder that reduces frames as real ones do and computes next to nothing, as `seeing:load`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from moviola.core import Frames, Readout, Space, UniformSampler
from moviola.encode.runtime.preprocessing import Preprocessing
from moviola.encode.two_tower.kinds import KINDS

WIDTH = 64


class Seeing:
    """Mean colours of 16 frames of 224 pixels, as unit rows."""

    space = Space("seeing", "benchmark", "none", WIDTH)
    sampler = UniformSampler(16)
    video_readout = text_readout = Readout("means")

    def __init__(self) -> None:
        self.shrink = Preprocessing.from_config(KINDS["clip"].processor).shrink_frames

    def encode_texts(self, texts: Sequence[str]) -> list[np.ndarray]:
        """One unit row a text."""
        return [np.eye(1, WIDTH, len(text) % WIDTH, dtype=np.float32) for text in texts]

    def encode_videos(self, clips: Sequence[Frames]) -> list[np.ndarray]:
        """One unit row a clip, of the colours of its frames."""
        rows = []
        for clip in clips:
            means = self.shrink(clip.pixels).reshape(len(clip), -1, 3).mean(axis=1).ravel()
            row = np.resize(means, WIDTH).astype(np.float32) + 1
            rows.append((row / np.linalg.norm(row))[None])
        return rows


def load() -> Seeing:
    """Load it."""
    return Seeing()
