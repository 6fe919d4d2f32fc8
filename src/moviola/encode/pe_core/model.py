"""The two towers of PE-Core under the names of OpenCLIP's weights, without timm or OpenCLIP.

It answers as the two-tower models of transformers do, so that one encoder runs them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional
from transformers.modeling_outputs import BaseModelOutputWithPooling

from moviola.encode.pe_core.checkpoints import WEIGHTS
from moviola.encode.perception.vision import PeVisionConfig, VisionTrunk

_EPSILON = 1e-5
_JOINED, _LAYER = ".attn.in_proj_", ".attn.in_proj."
"""Begin the names of the projection to queries, keys and values: in files, which follow torch's
attention, and here, where it is a layer like others, so that LoRA finds it."""


@dataclass(frozen=True, slots=True)
class TextSizes:
    """Sizes of the text tower.

    Attributes:
        context_length: tokens at most.
        vocab_size: number of tokens there are.
        width: length of a token.
        heads: of attention.
        layers: number of blocks.
    """

    context_length: int
    vocab_size: int
    width: int
    heads: int
    layers: int


@dataclass(frozen=True, slots=True)
class _TextConfig:
    max_position_embeddings: int


@dataclass(frozen=True, slots=True)
class _Config:
    """Tell the longest sentence where configurations of transformers do."""

    text_config: _TextConfig


class PeCore(nn.Module):
    """Hold both towers.

    Args:
        vision: sizes of the vision tower, whose `labels` are the length of a vector.
        text: sizes of the text tower.
    """

    def __init__(self, vision: PeVisionConfig, text: TextSizes) -> None:
        super().__init__()
        self.visual = nn.ModuleDict({"trunk": VisionTrunk(vision)})
        self.text = _TextTower(text, vision.labels)
        self.logit_scale = nn.Parameter(torch.zeros(()))
        self.config = _Config(_TextConfig(text.context_length))

    @property
    def vision_model(self) -> nn.Module:
        """Return the vision tower: `(B, 3, H, W)` to an output with `pooler_output` `(B, D)`."""
        return _Pooled(self.visual["trunk"])

    @vision_model.deleter
    def vision_model(self) -> None:
        del self.visual

    def get_text_features(
        self,
        ids: Tensor,
        attention_mask: Tensor | None = None,  # noqa: ARG002 - padding comes after what is read
    ) -> BaseModelOutputWithPooling:
        """Map token ids `(B, L)` to an output with `pooler_output` `(B, D)`."""
        return _output(self.text(ids))

    def get_image_features(self, pixels: Tensor) -> BaseModelOutputWithPooling:
        """Map `(B, 3, H, W)` to an output with `pooler_output` `(B, D)`."""
        return self.vision_model(pixels)

    def save_pretrained(self, folder: Path) -> None:
        """Write the weights into `folder` as OpenCLIP names them."""
        tensors = {name: each.contiguous() for name, each in self.state_dict().items()}
        save_file(published_names(tensors), folder / WEIGHTS)


def own_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Name the weights of a file as `PeCore` does."""
    return {name.replace(_JOINED, _LAYER): each for name, each in tensors.items()}


def published_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Name the weights of `PeCore` as OpenCLIP's files do."""
    return {name.replace(_LAYER, _JOINED): each for name, each in tensors.items()}


class _Pooled(nn.Module):
    """Answer as the vision towers of transformers do."""

    def __init__(self, trunk: nn.Module) -> None:
        super().__init__()
        self.trunk = trunk

    def forward(self, pixels: Tensor) -> BaseModelOutputWithPooling:
        return _output(self.trunk(pixels))


class _TextTower(nn.Module):
    """Read the last token of a sentence, which has seen those before it and none behind."""

    def __init__(self, sizes: TextSizes, labels: int) -> None:
        super().__init__()
        width = sizes.width
        self.token_embedding = nn.Embedding(sizes.vocab_size, width)
        self.positional_embedding = nn.Parameter(torch.zeros(sizes.context_length, width))
        blocks = [_Block(width, sizes.heads) for _ in range(sizes.layers)]
        self.transformer = nn.ModuleDict({"resblocks": nn.ModuleList(blocks)})
        self.ln_final = nn.LayerNorm(width, eps=_EPSILON)
        self.text_projection = nn.Parameter(torch.zeros(width, labels))

    def forward(self, ids: Tensor) -> Tensor:
        rows = self.token_embedding(ids) + self.positional_embedding[: ids.shape[1]]
        for block in self.transformer["resblocks"].children():
            rows = block(rows)
        # The end of a sentence has the highest id, and padding behind it no higher one.
        ends = rows[torch.arange(len(rows), device=rows.device), ids.argmax(dim=-1)]
        return self.ln_final(ends) @ self.text_projection


class _Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(width, eps=_EPSILON)
        self.attn = _Attention(width, heads)
        self.ln_2 = nn.LayerNorm(width, eps=_EPSILON)
        self.mlp = nn.ModuleDict(
            {"c_fc": nn.Linear(width, 4 * width), "c_proj": nn.Linear(4 * width, width)}
        )

    def forward(self, rows: Tensor) -> Tensor:
        rows = rows + self.attn(self.ln_1(rows))
        return rows + self.mlp["c_proj"](functional.gelu(self.mlp["c_fc"](self.ln_2(rows))))


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj = nn.Linear(width, 3 * width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, rows: Tensor) -> Tensor:
        split = self.in_proj(rows).unflatten(2, (3, self.heads, -1))
        query, key, value = split.permute(2, 0, 3, 1, 4)
        found = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        return self.out_proj(found.transpose(1, 2).flatten(2))


def _output(vectors: Tensor) -> BaseModelOutputWithPooling:
    # transformers' annotations know its own subclass of tensors alone.
    return BaseModelOutputWithPooling(pooler_output=vectors)  # pyright: ignore[reportArgumentType]
