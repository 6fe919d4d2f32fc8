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
from moviola.encode.runtime.text_tower import TextTower

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
        model = CLIPTextModelWithProjection(CLIPTextConfig(projection_dim=WIDTH)).eval()
        # What encodes the sentences of real models.
        self.tower = TextTower(
            _tokens,
            lambda ids, mask: model(ids, attention_mask=mask).text_embeds,
            length=TOKENS,
            padding="max_length" if padded else "longest",
            masked=True,
            device=torch.device("cpu"),
        )
        self.text_readout = Readout("none", prompt="padded" if padded else "")

    def encode_texts(self, texts: Sequence[str]) -> list[np.ndarray]:
        """One unit row a text."""
        rows = self.tower(texts)
        return [torch.nn.functional.normalize(row[None], dim=1).numpy() for row in rows]

    def encode_videos(self, clips: Sequence[Frames]) -> list[np.ndarray]:
        """Unit rows that depend on the pixels a little."""
        return [
            np.eye(1, WIDTH, int(frames.pixels.mean()) % WIDTH, dtype=np.float32)
            for frames in clips
        ]


def _tokens(
    texts: Sequence[str], *, padding: str, max_length: int, **_: object
) -> dict[str, torch.Tensor]:
    """Words by their checksum, as many tokens as CLIP's tokenizer makes."""
    rows = [[49_406, *map(_number, text.split()), 49_407][:max_length] for text in texts]
    length = max_length if padding == "max_length" else max(map(len, rows))
    ids = torch.tensor([row + [49_407] * (length - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (length - len(row)) for row in rows])
    return {"input_ids": ids, "attention_mask": mask}


def _number(word: str) -> int:
    return 1 + zlib.crc32(word.encode()) % (_WORDS - 100)


def load() -> ClipSized:
    """Texts as long as they are."""
    return ClipSized(padded=False)


def load_padded() -> ClipSized:
    """Texts of 77 tokens, always."""
    return ClipSized(padded=True)
