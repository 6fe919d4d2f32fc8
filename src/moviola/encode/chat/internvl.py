"""Prepare clips as InternVL does (arXiv 2504.10479): a few numbered frames of one size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from moviola.encode.chat.pixels import VideoSettings
from moviola.encode.chat.sampling import CentringSampler
from moviola.encode.chat.vision import token_of, words
from moviola.encode.decoder.inputs import Kind, Piece, Words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from moviola.core.frames import Frames
    from moviola.encode.chat.network import ChatNetwork

_FRAMES = 8
"""Frames of a clip, where neither a user nor the checkpoint tells another number."""
_DEFAULTS = {
    "image_mean": (0.485, 0.456, 0.406),
    "image_std": (0.229, 0.224, 0.225),
    "size": {"height": 448, "width": 448},
}


class InternVLVision:
    """The eyes of InternVL.

    Args:
        network: the model.
        frames: of a clip; None for as many as the checkpoint tells, or 8.
    """

    counts_places = False

    def __init__(self, network: ChatNetwork, *, frames: int | None = None) -> None:
        self._network = network
        self._settings = VideoSettings.from_folder(network.folder, **_DEFAULTS)
        told: int = self._settings.told.get("num_frames") or _FRAMES
        self.sampler = CentringSampler(frames or told)
        self.pad = token_of(network.tokenizer, network.config.image_token_id)
        self._start = getattr(network.tokenizer, "start_image_token", None) or "<img>"
        self._end = getattr(network.tokenizer, "end_image_token", None) or "</img>"

    @property
    def spec(self) -> str:
        """Return the canonical text for a `Readout`."""
        height, width = self._size
        mean, std = (
            ",".join(f"{v:.8g}" for v in values)
            for values in (self._settings.mean, self._settings.std)
        )
        return f"bicubic:{height}x{width} mean:{mean} std:{std}"

    @property
    def _size(self) -> tuple[int, int]:
        size = self._settings.told["size"]
        return int(size["height"]), int(size["width"])

    def resize(self, pixels: NDArray[np.uint8]) -> Tensor:
        """Resize `(T, H, W, 3)` to `(T, 3, h, w)` uint8, whatever the shape."""
        return self._settings.resized(pixels, self._size)

    @torch.inference_mode()
    def see(self, clip: Frames) -> list[Piece | Words]:
        """Map a clip to the vectors of every frame, behind its number; a line each."""
        values = self._settings.normalised(self.resize(clip.pixels))
        vectors = self._network.see_frames(values).pooler_output
        content: list[Piece | Words] = []
        for place, own in enumerate(vectors):
            content += [
                words(f"{chr(10) if place else ''}Frame{place + 1}: {self._start}"),
                Piece(Kind.VIDEO, own),
                words(self._end),
            ]
        return content
