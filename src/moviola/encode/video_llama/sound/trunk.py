"""ImageBind's audio transformer (Girdhar et al., CVPR 2023): a mel picture to one vector."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from moviola.encode.video_llama.config import AudioTrunkConfig

_LARGEST_SCALE = 100.0
_SCALE = 20.0


class AudioBlock(nn.Module):
    """A pre-norm transformer layer whose attention sees one learned extra key and value."""

    def __init__(self, config: AudioTrunkConfig) -> None:
        super().__init__()
        width, eps = config.embed_dim, config.block_layer_norm_eps
        self.norm_1 = nn.LayerNorm(width, eps=eps)
        self.attn = nn.MultiheadAttention(
            width, config.num_heads, add_bias_kv=True, batch_first=True
        )
        self.norm_2 = nn.LayerNorm(width, eps=eps)
        inner = int(width * config.mlp_ratio)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, inner), "fc2": nn.Linear(inner, width)})

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, tokens, width) to the same."""
        normed = self.norm_1(x)
        x = x + self.attn(normed, normed, normed, need_weights=False)[0]
        return x + self.mlp["fc2"](functional.gelu(self.mlp["fc1"](self.norm_2(x))))


class AudioTrunk(nn.Module):
    """Mel pictures to vectors of length 20, the scale that ImageBind gives to sound."""

    def __init__(self, config: AudioTrunkConfig) -> None:
        super().__init__()
        width = config.embed_dim
        self.patches = nn.Conv2d(1, width, config.kernel_size, config.stride, bias=False)
        self.patch_norm = nn.LayerNorm(width, eps=config.stem_layer_norm_eps)
        self.class_token = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(torch.zeros(1, config.num_patches + 1, width))
        self.blocks = nn.ModuleList(AudioBlock(config) for _ in range(config.num_blocks))
        self.head_norm = nn.LayerNorm(width, eps=config.head_layer_norm_eps)
        self.head = nn.Linear(width, config.out_embed_dim, bias=False)
        self.log_scale: Tensor
        self.register_buffer("log_scale", torch.tensor(math.log(_SCALE)))

    def forward(self, mel: Tensor) -> Tensor:
        """Map normalised mel pictures (N, 1, bins, frames) to (N, out)."""
        x = self.tokens(mel)
        for block in self.blocks:
            x = block(x)
        told = self.head(self.head_norm(x)[:, 0])
        return functional.normalize(told, dim=-1) * self.log_scale.exp().clip(max=_LARGEST_SCALE)

    def tokens(self, mel: Tensor) -> Tensor:
        """Map normalised mel pictures (N, 1, bins, frames) to (N, 1 + patches, width)."""
        patches = self.patch_norm(self.patches(mel).flatten(2).transpose(1, 2))
        first = self.class_token.expand(len(mel), -1, -1)
        return torch.cat([first, patches], dim=1) + self.positions
