"""Prepare clips as VideoLLaMA 3 does (arXiv 2501.13106): frames behind times, changes only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from moviola.encode.chat.pixels import VideoSettings
from moviola.encode.chat.sampling import SteppingSampler
from moviola.encode.chat.vision import token_of, words
from moviola.encode.decoder.inputs import Kind, Piece, Words
from moviola.encode.qwen_vl.resizing import fit_size
from moviola.encode.runtime.frame_rates import counted_times

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from moviola.core.frames import Frames
    from moviola.encode.chat.network import ChatNetwork

_CHANGE = 0.1
"""Change of a patch, in levels of 255 of normalised pixels, from which on it is seen again."""
_DEFAULTS = {
    "image_mean": (0.5, 0.5, 0.5),
    "image_std": (0.5, 0.5, 0.5),
    "patch_size": 14,
    "merge_size": 2,
    "temporal_patch_size": 1,
    "max_frames": 180,
    "use_token_compression": True,
    "size": {"shortest_edge": 128 * 28 * 28, "longest_edge": 768 * 28 * 28},
}


class VideoLlama3Vision:
    """The eyes of VideoLLaMA 3.

    Args:
        network: the model.
        fps: frames a second.
        frames: of a clip at most; None for as many as the checkpoint tells.

    Raises:
        ValueError: when the checkpoint asks for patches of several frames.
    """

    counts_places = False

    def __init__(
        self,
        network: ChatNetwork,
        *,
        fps: float = 2.0,
        frames: int | None = None,
    ) -> None:
        self._network = network
        self._settings = VideoSettings.from_folder(network.folder, **_DEFAULTS)
        if int(self._settings.told["temporal_patch_size"]) != 1:
            raise ValueError("VideoLLaMA 3 takes no patches of several frames")
        self.sampler = SteppingSampler(fps, frames or int(self._settings.told["max_frames"]), 1)
        self._compress = bool(self._settings.told["use_token_compression"])
        self.pad = token_of(network.tokenizer, network.config.video_token_id)

    @property
    def spec(self) -> str:
        """Return the canonical text for a `Readout`."""
        return f"{self._settings.spec} {'changes' if self._compress else 'all'}"

    def resize(self, pixels: NDArray[np.uint8]) -> Tensor:
        """Resize `(T, H, W, 3)` to `(T, 3, h, w)` uint8; frames share the most pixels."""
        least, most = self._settings.bounds
        size = fit_size(pixels.shape[1:3], self._settings.side, least, most // len(pixels))
        return self._settings.resized(pixels, size)

    def kept(self, values: Tensor, grid: tuple[int, int, int]) -> Tensor:
        """Mark the vectors that are seen `(T, N)` bool: what changes, at least one a frame."""
        merge = int(self._settings.told["merge_size"])
        merged = values.view(grid[0], grid[1] * grid[2] // merge**2, -1)
        kept = torch.ones(merged.shape[:2], dtype=torch.bool)
        if self._compress and len(merged) > 1:
            change = (merged[1:] - merged[:-1]).abs().mean(dim=-1) * 255
            kept[1:] = change > _CHANGE
            kept[~kept.any(dim=1), 0] = True
        return kept

    @torch.inference_mode()
    def see(self, clip: Frames) -> list[Piece | Words]:
        """Map a clip to the vectors of every frame, behind the second it is shown at."""
        values, grid = self._settings.patches(self.resize(clip.pixels))
        kept = self.kept(values, grid)
        sizes = torch.tensor([self._settings.told["merge_size"]], device=self._network.device)
        vectors = self._network.see(values, grid, video_merge_sizes=sizes).pooler_output[0]
        frames = vectors.unflatten(0, kept.shape)
        content: list[Piece | Words] = []
        for place, seconds in enumerate(counted_times(clip.times)):
            content += [
                words(f"{',' if place else ''}Time {seconds:.1f}s:"),
                Piece(Kind.VIDEO, frames[place][kept[place].to(vectors.device)]),
            ]
        return content
