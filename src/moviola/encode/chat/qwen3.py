"""Prepare clips as Qwen3-VL does (arXiv 2511.21631): every two frames behind the time they show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, get_args

import torch
from torch import Tensor

from moviola.encode.chat.pixels import VideoSettings
from moviola.encode.chat.sampling import SpreadingSampler
from moviola.encode.chat.vision import places_of, token_of, words
from moviola.encode.decoder.inputs import Kind, Piece, Words
from moviola.encode.qwen_vl.prompts import Layout
from moviola.encode.runtime.frame_rates import counted_times

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from moviola.core.frames import Frames
    from moviola.encode.chat.network import ChatNetwork

_DEFAULTS = {
    "image_mean": (0.5, 0.5, 0.5),
    "image_std": (0.5, 0.5, 0.5),
    "patch_size": 16,
    "merge_size": 2,
    "temporal_patch_size": 2,
    "max_frames": 768,
    "size": {"shortest_edge": 4096, "longest_edge": 25_165_824},
}


class Qwen3Vision:
    """The eyes of Qwen3-VL.

    Args:
        network: the model.
        fps: frames a second.
        frames: of a clip at most; None for as many as the checkpoint tells.
        layout: `"wrapped"` marks the whole video as well as every two frames, as transformers does
            from 5.10 on; `"per-frame"` marks them alone, as it did before.

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
        layout: str = "wrapped",
    ) -> None:
        if layout not in get_args(Layout):
            raise ValueError(f"the layout is one of {get_args(Layout)}, not {layout!r}")
        self._network = network
        self._settings = VideoSettings.from_folder(network.folder, **_DEFAULTS)
        self.sampler = SpreadingSampler(fps, frames or int(self._settings.told["max_frames"]))
        self._layout = layout
        config, tokenizer = network.config, network.tokenizer
        self.pad = token_of(tokenizer, config.video_token_id)
        self._start = token_of(tokenizer, config.vision_start_token_id)
        self._end = token_of(tokenizer, config.vision_end_token_id)

    @property
    def spec(self) -> str:
        """Return the canonical text for a `Readout`."""
        return f"{self._settings.spec} {self._layout}"

    def resize(self, pixels: NDArray[np.uint8]) -> Tensor:
        """Resize `(T, H, W, 3)` to `(T, 3, h, w)` uint8."""
        count = max(len(pixels), int(self._settings.told["temporal_patch_size"]))
        size = fit_clip(count, pixels.shape[1:3], self._settings.side, *self._settings.bounds)
        return self._settings.resized(pixels, size)

    @torch.inference_mode()
    def see(self, clip: Frames) -> list[Piece | Words]:
        """Map a clip to vectors of every two frames, behind the seconds they show."""
        values, grid = self._settings.patches(self.resize(clip.pixels))
        seen = self._network.see(values, grid)
        groups, rows, columns = self._settings.merged(grid)
        levels = [own.unflatten(0, (groups, -1)) for (own,) in seen.deepstack_features]
        vectors = seen.pooler_output[0].unflatten(0, (groups, -1))
        places = places_of([0], rows, columns)
        content: list[Piece | Words] = []
        for group, seconds in enumerate(_middles(counted_times(clip.times))):
            deepstack = tuple(level[group] for level in levels)
            content += [
                words(f"<{seconds:.1f} seconds>{self._start}"),
                Piece(Kind.VIDEO, vectors[group], places, max(rows, columns), deepstack),
                words(self._end),
            ]
        if self._layout == "wrapped":
            return [words(self._start), *content, words(self._end)]
        return content


def fit_clip(
    frames: int, edges: Sequence[int], factor: int, least: int, most: int
) -> tuple[int, int]:
    """Return the `(height, width)` of whole factors of a clip whose frames share bounds.

    Args:
        frames: of the clip, at least 2.
        edges: height and width in pixels.
        factor: that both edges become multiples of.
        least: pixels that all frames together are enlarged to.
        most: pixels that all frames together are shrunk to.

    Raises:
        ValueError: when a frame is more than 200 times as long as it is wide.
    """
    height, width = edges
    if min(height, width) < factor:
        scale = max(factor / height, factor / width)
        height, width = int(height * scale), int(width * scale)
    if max(height, width) > 200 * min(height, width):
        raise ValueError(f"a frame of {width}x{height} is too narrow for patches")
    fitted = [round(edge / factor) * factor for edge in (height, width)]
    area = round(frames / 2) * 2 * fitted[0] * fitted[1]
    if area > most:
        shrink = math.sqrt(frames * height * width / most)
        fitted = [
            max(factor, math.floor(edge / shrink / factor) * factor) for edge in (height, width)
        ]
    elif area < least:
        grow = math.sqrt(least / (frames * height * width))
        fitted = [math.ceil(edge * grow / factor) * factor for edge in (height, width)]
    return fitted[0], fitted[1]


def _middles(times: list[float]) -> list[float]:
    """Return the middle of every two times; the last one stands for a missing one."""
    padded = [*times, *[times[-1]] * (len(times) % 2)]
    return [(a + b) / 2 for a, b in zip(padded[::2], padded[1::2], strict=True)]
