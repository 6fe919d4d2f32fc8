"""An encoder of the size of CLIP ViT-B/32's text tower, with random weights.

What it finds means nothing; what it costs is what the real one costs. Used by `serve.py`, as
`clip_sized:load`, and `clip_sized:load_padded`, which pads every text to 77 tokens.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import torch

from moviola.core import Frames, Readout, Space, UniformSampler

WIDTH = 512
TOKENS = 77
_WORDS = 49_408


class ClipSized:
    """Random vectors at the price of real ones."""

    space = Space("clip-sized", "random", "seed 0", WIDTH)
    sampler = UniformSampler(8)
    video_readout = Readout("none")

    def __init__(self, *, padded: bool) -> None:
        from transformers import CLIPTextConfig, CLIPTextModelWithProjection

        torch.manual_seed(0)
        self.model = CLIPTextModelWithProjection(CLIPTextConfig(projection_dim=WIDTH)).eval()
        self.padded = padded
        self.text_readout = Readout("none", prompt="padded" if padded else "")

    @torch.inference_mode()
    def encode_texts(self, texts: Sequence[str]) -> list[np.ndarray]:
        """One unit row a text: words by their checksum, as many tokens as the real one makes."""
        rows = [[49_406, *map(_number, text.split()), 49_407][:TOKENS] for text in texts]
        length = TOKENS if self.padded else max(map(len, rows))
        tokens = torch.tensor([row + [49_407] * (length - len(row)) for row in rows])
        vectors = torch.nn.functional.normalize(self.model(tokens).text_embeds, dim=1)
        return [row[None].numpy() for row in vectors]

    def encode_videos(self, clips: Sequence[Frames]) -> list[np.ndarray]:
        """Unit rows that depend on the pixels a little."""
        return [
            np.eye(1, WIDTH, int(frames.pixels.mean()) % WIDTH, dtype=np.float32)
            for frames in clips
        ]


def _number(word: str) -> int:
    return 1 + zlib.crc32(word.encode()) % (_WORDS - 100)


def load() -> ClipSized:
    """Texts as long as they are."""
    return ClipSized(padded=False)


def load_padded() -> ClipSized:
    """Texts of 77 tokens, always."""
    return ClipSized(padded=True)
