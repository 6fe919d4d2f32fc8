"""Prepare clips as Qwen2.5-VL does (arXiv 2502.13923): one block of vectors, without times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from moviola.encode.chat.pixels import VideoSettings
from moviola.encode.chat.sampling import SteppingSampler
from moviola.encode.chat.vision import places_of, token_of, words
from moviola.encode.decoder.inputs import Kind, Piece, Words
from moviola.encode.qwen_vl.resizing import fit_size
from moviola.encode.runtime.frame_rates import frame_rate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moviola.core.frames import Frames
    from moviola.encode.chat.network import ChatNetwork

POSITIONS = ("current", "legacy")
"""Two ways to go on behind a video: behind its longer edge, as transformers does from 5.0 on; or
behind its largest position, as 4.57.3 did."""
_DEFAULTS = {
    "image_mean": (0.48145466, 0.4578275, 0.40821073),
    "image_std": (0.26862954, 0.26130258, 0.27577711),
    "patch_size": 14,
    "merge_size": 2,
    "temporal_patch_size": 2,
    "max_frames": 768,
    "size": {"shortest_edge": 128 * 28 * 28, "longest_edge": 768 * 28 * 28},
}


class Qwen25Vision:
    """The eyes of Qwen2.5-VL.

    Args:
        network: the model.
        fps: frames a second.
        frames: of a clip at most; None for as many as the checkpoint tells.
        positions: `"current"` or `"legacy"`.

    Raises:
        ValueError: when an option has no such value.
    """

    counts_places = True

    def __init__(
        self,
        network: ChatNetwork,
        *,
        fps: float = 2.0,
        frames: int | None = None,
        positions: str = "current",
    ) -> None:
        if positions not in POSITIONS:
            raise ValueError(f"positions are one of {POSITIONS}, not {positions!r}")
        self._network = network
        self._settings = VideoSettings.from_folder(network.folder, **_DEFAULTS)
        self.sampler = SteppingSampler(fps, frames or int(self._settings.told["max_frames"]))
        self._legacy = positions == "legacy"
        config, tokenizer = network.config, network.tokenizer
        self.pad = token_of(tokenizer, config.video_token_id)
        self._marks = [
            token_of(tokenizer, config.vision_start_token_id),
            token_of(tokenizer, config.vision_end_token_id),
        ]

    @property
    def spec(self) -> str:
        """Return the canonical text for a `Readout`."""
        return f"{self._settings.spec}{' legacy positions' if self._legacy else ''}"

    def resize(self, pixels: NDArray[np.uint8]) -> Tensor:
        """Resize `(T, H, W, 3)` to `(T, 3, h, w)` uint8."""
        size = fit_size(pixels.shape[1:3], self._settings.side, *self._settings.bounds)
        return self._settings.resized(pixels, size)

    @torch.inference_mode()
    def see(self, clip: Frames) -> list[Piece | Words]:
        """Map a clip to one block of vectors between two marks."""
        values, grid = self._settings.patches(self.resize(clip.pixels))
        (vectors,) = self._network.see(values, grid).pooler_output
        groups, rows, columns = self._settings.merged(grid)
        seconds = int(self._settings.told["temporal_patch_size"]) / sampled_rate(clip.times)
        times = self._group_times(groups, seconds)
        places = places_of(times, rows, columns)
        advance = int(places.max()) + 1 if self._legacy else max(rows, columns)
        return [
            words(self._marks[0]),
            Piece(Kind.VIDEO, vectors, places, advance),
            words(self._marks[1]),
        ]

    def _group_times(self, groups: int, seconds: float) -> list[int]:
        """Count the time of each group of frames, `seconds` after the one before it."""
        by_second = int(self._network.config.vision_config.tokens_per_second)
        if self._legacy:
            # It made whole seconds of them first.
            return [group * int(seconds) * by_second for group in range(groups)]
        # In single precision, as the model computes it.
        return (torch.arange(groups) * (by_second * torch.tensor(seconds))).long().tolist()


def sampled_rate(times: NDArray[np.float64]) -> float:
    """Return the frames a second of frames `(T,)` that were taken in equal steps of a file.

    The processor divides their number by the length of the file, which only the numbers of the
    frames tell: the smallest file that gives just these.
    """
    count, since = len(times), times - times[0]
    rate = frame_rate(since)
    if count < 2 or since[-1] <= 0:
        return 2.0
    if rate is not None:
        numbers = np.rint(since * rate).astype(np.int64)
        last = int(numbers[-1])
        for total in range(last + 1, last + last // (count - 1) + 3):
            steps = (np.arange(count) * (total / count)).astype(np.float32).astype(np.int64)
            if (steps == numbers).all():
                return count / total * rate
    return (count - 1) / float(since[-1])
