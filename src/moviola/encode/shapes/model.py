"""The two towers of the shipped encoder.

The video tower keeps places apart for as long as it can: colour, shape and motion meet in one cell
of an 8 x 8 grid before anything is pooled, so that "the red one moves left" differs from "a red
one, and something moves left".
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

FRAMES, SIZE, CELLS = 8, 64, 8


@dataclass(frozen=True)
class TowerConfig:
    """Widths of both towers."""

    words: int
    dimension: int = 256
    stem: tuple[int, int] = (16, 48)
    pair: int = 80
    quad: int = 144
    width: int = 224
    conv_blocks: int = 2
    video_layers: int = 1
    gates: int = 8
    text_width: int = 160
    text_layers: int = 2
    length: int = 40


def _conv(inner: int, outer: int, kernel: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inner, outer, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outer),
        nn.ReLU(inplace=True),
    )


class Block(nn.Module):
    """A pre-norm transformer layer."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_in, self.norm_out = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.mix = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.feed = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Map (B, N, width) to the same; `mask` is (B, 1, 1, N), True where attention may look."""
        b, n, width = x.shape
        q, k, v = self.qkv(self.norm_in(x)).view(b, n, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        # Spelled out: for a few dozen tokens it trains thrice as fast on a CPU as fused.
        scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
        if mask is not None:
            scores = scores.masked_fill(~mask, -1e4)
        seen = scores.softmax(-1) @ v
        x = x + self.mix(seen.transpose(1, 2).reshape(b, n, width))
        return x + self.feed(self.norm_out(x))


class GatedPool(nn.Module):
    """Weighted sums over tokens, each gate with its own weights and its own slice of the output."""

    def __init__(self, width: int, gates: int, dimension: int) -> None:
        super().__init__()
        self.gates = gates
        self.norm = nn.LayerNorm(width)
        self.gate = nn.Linear(width, gates)
        self.value = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, dimension)
        )
        self.whole = nn.Linear(width, dimension)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Map (B, N, width) to (B, dimension); `mask` is (B, N), True for tokens that count."""
        x = self.norm(x)
        logits = self.gate(x)
        if mask is None:
            mean = x.mean(1)
        else:
            logits = logits.masked_fill(~mask[..., None], -1e4)
            share = mask / mask.sum(1, keepdim=True)
            mean = (x * share[..., None]).sum(1)
        weights = logits.softmax(1)
        values = self.value(x).unflatten(-1, (self.gates, -1))
        pooled = (weights[..., None] * values).sum(1).flatten(1)
        return pooled + self.whole(mean)


class VideoTower(nn.Module):
    """Windows of eight frames to vectors."""

    def __init__(self, config: TowerConfig) -> None:
        super().__init__()
        first, second = config.stem
        self.stem = nn.Sequential(_conv(3, first, 3, 2), _conv(first, second, 3, 2))
        self.pair = nn.Sequential(
            _conv(2 * second, config.pair, 1), _conv(config.pair, config.quad, 3, 2)
        )
        self.quad = _conv(4 * config.quad, config.width, 1)
        self.blocks = nn.ModuleList(
            _conv(config.width, config.width, 3) for _ in range(config.conv_blocks)
        )
        self.places = nn.Parameter(torch.randn(CELLS * CELLS, config.width) * 0.1)
        self.layers = nn.ModuleList(Block(config.width, 4) for _ in range(config.video_layers))
        self.pool = GatedPool(config.width, config.gates, config.dimension)

    def cells(self, frames: Tensor) -> Tensor:
        """Map (B, 8, 64, 64, 3) uint8 to (B, 64, width): what is where, over all frames."""
        b = frames.shape[0]
        # Memory order (frame, row, column, channel) is what channels_last wants: no copy is made.
        # Bytes, and these steps on them, are exact in bfloat16.
        mixed = torch.is_autocast_enabled(frames.device.type)
        x = frames.flatten(0, 1).permute(0, 3, 1, 2)
        x = x.to(torch.bfloat16 if mixed else torch.float32).sub(128).div(64)
        x = self.stem(x)
        # Time goes into the channels in two steps: pairs of frames, then the four pairs.
        side = x.shape[-1]
        x = (
            x.permute(0, 2, 3, 1)
            .reshape(b * 4, 2, side, side, -1)
            .permute(0, 2, 3, 1, 4)
            .flatten(3)
        )
        x = self.pair(x.permute(0, 3, 1, 2))
        side = x.shape[-1]
        x = x.permute(0, 2, 3, 1).reshape(b, 4, side, side, -1).permute(0, 2, 3, 1, 4).flatten(3)
        x = self.quad(x.permute(0, 3, 1, 2))
        for block in self.blocks:
            x = x + block(x)
        return x.permute(0, 2, 3, 1).flatten(1, 2)

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, 8, 64, 64, 3) uint8 to raw vectors (B, dimension), and their cells."""
        cells = self.cells(frames)
        x = cells + self.places
        for layer in self.layers:
            x = layer(x)
        return self.pool(x), cells


class TextTower(nn.Module):
    """Word numbers to vectors."""

    def __init__(self, config: TowerConfig) -> None:
        super().__init__()
        self.words = nn.Embedding(config.words, config.text_width, padding_idx=0)
        # Places start at the scale of the words, or the tower does not learn who does what.
        self.places = nn.Parameter(torch.randn(config.length, config.text_width))
        self.layers = nn.ModuleList(Block(config.text_width, 4) for _ in range(config.text_layers))
        self.pool = GatedPool(config.text_width, config.gates, config.dimension)

    def forward(self, numbers: Tensor) -> Tensor:
        """Map (B, L) word numbers, 0 for padding, to (B, dimension), not normalised."""
        known = numbers != 0
        # A text without words still needs a token to pool.
        first = torch.arange(numbers.shape[1], device=numbers.device) == 0
        known = known | (~known.any(1, keepdim=True) & first)
        x = self.words(numbers) + self.places[: numbers.shape[1]]
        for layer in self.layers:
            x = layer(x, known[:, None, None, :])
        return self.pool(x, known)


class Towers(nn.Module):
    """Both towers and the temperature of their cosine."""

    def __init__(self, config: TowerConfig) -> None:
        super().__init__()
        self.config = config
        self.video, self.text = VideoTower(config), TextTower(config)
        self.scale = nn.Parameter(torch.tensor(3.0))

    def texts(self, numbers: Tensor) -> Tensor:
        """Map (B, L) word numbers to unit vectors (B, dimension)."""
        return functional.normalize(self.text(numbers).float(), dim=-1)

    def videos(self, frames: Tensor) -> Tensor:
        """Map (B, 8, 64, 64, 3) uint8 to unit vectors (B, dimension)."""
        return functional.normalize(self.video(frames)[0].float(), dim=-1)
