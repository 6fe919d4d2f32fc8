"""The vision tower of Perception Encoder (Bolya et al., 2025, arXiv 2504.13181).

transformers takes it from timm, which needs torchvision. This is the same tower under the same
names of weights, so that checkpoints of transformers load without either.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModelForImageClassification, PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import ImageClassifierOutput

_EPSILON = 1e-5
_TEMPERATURE = 10_000.0
_SIZES: Mapping[str, dict[str, int]] = {
    "tiny_patch16_384": {"image": 384, "patch": 16, "width": 192, "depth": 12, "heads": 3},
    "small_patch16_384": {"image": 384, "patch": 16, "width": 384, "depth": 12, "heads": 6},
    "base_patch16_224": {"image": 224, "patch": 16, "width": 768, "depth": 12, "heads": 12},
    "large_patch14_336": {"image": 336, "patch": 14, "width": 1024, "depth": 24, "heads": 16},
}
_ARGUMENTS = {
    "img_size": "image",
    "patch_size": "patch",
    "embed_dim": "width",
    "depth": "depth",
    "num_heads": "heads",
    "attn_pool_num_heads": "pool_heads",
    "ref_feat_shape": "reference",
}
"""timm's names of what a checkpoint may set otherwise, and ours."""


class PeVisionConfig(PreTrainedConfig):
    """Sizes of the tower.

    Attributes:
        image: pixels of a side.
        patch: pixels of a side of a patch.
        width: length of a token.
        depth: number of blocks.
        heads: of attention.
        pool_heads: of the attention that makes one vector of all tokens.
        reference: patches of a side where the tower was trained; places are stretched to it.
        labels: length of that vector.
    """

    model_type = "moviola_pe_vision"

    image: int = 336
    patch: int = 14
    width: int = 1024
    depth: int = 24
    heads: int = 16
    pool_heads: int = 8
    reference: int = 24
    labels: int = 1024

    def __post_init__(self, **options: Any) -> None:
        super().__post_init__(num_labels=self.labels, **options)

    @classmethod
    def from_timm(cls, config: Mapping[str, Any]) -> PeVisionConfig:
        """Return the sizes that a configuration of transformers' wrapper of timm means.

        Raises:
            ValueError: when it is another tower, or sets something that is not known here.
        """
        name = str(config.get("architecture", "")).removeprefix("vit_pe_core_").split(".")[0]
        if name not in _SIZES:
            raise ValueError(
                f"the vision tower {config.get('architecture')!r} is none of "
                f"{', '.join(f'vit_pe_core_{known}' for known in _SIZES)}"
            )
        sizes: dict[str, Any] = {"pool_heads": 8, **_SIZES[name]}
        sizes["reference"] = sizes["image"] // sizes["patch"]
        for word, value in (config.get("model_args") or {}).items():
            if word not in _ARGUMENTS:
                raise ValueError(f"the vision tower sets {word}, which is not known here")
            sizes[_ARGUMENTS[word]] = max(value) if isinstance(value, list | tuple) else value
        labels = config.get("num_classes") or config.get("num_labels") or 1024
        return cls(**sizes, labels=int(labels))


class PeVisionTower(PreTrainedModel):
    """Pictures to vectors, in the shape in which transformers wraps timm's models."""

    config_class = PeVisionConfig
    main_input_name = "pixel_values"

    def __init__(self, config: PeVisionConfig) -> None:
        super().__init__(config)
        self.timm_model = VisionTrunk(config)
        self.post_init()

    def forward(self, pixel_values: Tensor, **_: Any) -> ImageClassifierOutput:
        """Map `(B, 3, image, image)` to `logits` `(B, labels)`."""
        return ImageClassifierOutput(logits=cast("Any", self.timm_model(pixel_values)))


AutoModelForImageClassification.register(PeVisionConfig, PeVisionTower, exist_ok=True)


class VisionTrunk(nn.Module):
    """Hold the tower under timm's names of weights."""

    def __init__(self, config: PeVisionConfig) -> None:
        super().__init__()
        self.side, self.reference = config.image // config.patch, config.reference
        width = config.width
        self.patch_embed = nn.ModuleDict(
            {"proj": nn.Conv2d(3, width, config.patch, stride=config.patch, bias=False)}
        )
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, self.side**2 + 1, width))
        self.norm_pre = nn.LayerNorm(width, eps=_EPSILON)
        self.blocks = nn.ModuleList([_Block(width, config.heads) for _ in range(config.depth)])
        self.norm = nn.LayerNorm(width, eps=_EPSILON)
        self.attn_pool = _Pool(width, config.pool_heads)
        self.head = nn.Linear(width, config.labels)
        self.rope_width = width // config.heads

    def forward(self, pixels: Tensor) -> Tensor:
        """Map `(B, 3, image, image)` to `(B, labels)`."""
        patches = self.patch_embed["proj"](pixels).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.cls_token.expand(len(patches), -1, -1), patches], dim=1)
        tokens = self.norm_pre(tokens + self.pos_embed)
        sine, cosine = _rotation(self.side, self.reference, self.rope_width, tokens)
        for block in self.blocks:
            tokens = block(tokens, sine, cosine)
        return self.head(self.attn_pool(self.norm(tokens)))


class _Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=_EPSILON)
        self.attn = _Attention(width, heads)
        self.norm2 = nn.LayerNorm(width, eps=_EPSILON)
        self.mlp = _Mlp(width)

    def forward(self, tokens: Tensor, sine: Tensor, cosine: Tensor) -> Tensor:
        tokens = tokens + self.attn(self.norm1(tokens), sine, cosine)
        return tokens + self.mlp(self.norm2(tokens))


class _Attention(nn.Module):
    """Self-attention whose queries and keys are turned by their place; the first token is not."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor, sine: Tensor, cosine: Tensor) -> Tensor:
        split = self.qkv(tokens).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        query, key, value = split.unbind(0)
        query, key = (_turned(each, sine, cosine) for each in (query, key))
        found = functional.scaled_dot_product_attention(query, key, value)
        return self.proj(found.transpose(1, 2).flatten(2))


class _Pool(nn.Module):
    """One learned query that attends to all tokens."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.latent = nn.Parameter(torch.zeros(1, 1, width))
        self.q = nn.Linear(width, width)
        self.kv = nn.Linear(width, 2 * width)
        self.proj = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width, eps=_EPSILON)
        self.mlp = _Mlp(width)

    def forward(self, tokens: Tensor) -> Tensor:
        latent = self.latent.expand(len(tokens), -1, -1)
        query = self.q(latent).unflatten(2, (self.heads, -1)).transpose(1, 2)
        split = self.kv(tokens).unflatten(2, (2, self.heads, -1)).permute(2, 0, 3, 1, 4)
        key, value = split.unbind(0)
        found = functional.scaled_dot_product_attention(query, key, value)
        pooled = self.proj(found.transpose(1, 2).flatten(2))
        return (pooled + self.mlp(self.norm(pooled)))[:, 0]


class _Mlp(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.fc2(functional.gelu(self.fc1(tokens)))


def _rotation(side: int, reference: int, width: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return the sines and cosines `(side * side, width)` of the places of a square of patches.

    The first half of the coordinates turns by the column, the second by the row, counted from 1
    and stretched to `reference` (axial rotary embeddings, Su et al. 2021, section 3.2, in pairs of
    neighbours). On the device and in the precision of `like`; angles are computed in float32.
    """
    count = width // 4
    steps = torch.arange(count, dtype=torch.float32, device=like.device) / count
    bands = _TEMPERATURE**-steps
    places = (torch.arange(side, dtype=torch.float32, device=like.device) + 1) / side * reference
    rows, columns = torch.meshgrid(places, places, indexing="ij")
    angles = torch.stack([columns, rows], dim=-1)[..., None] * bands
    angles = angles.reshape(side * side, -1).repeat_interleave(2, dim=-1)
    return angles.sin().to(like.dtype), angles.cos().to(like.dtype)


def _turned(heads: Tensor, sine: Tensor, cosine: Tensor) -> Tensor:
    first, patches = heads[:, :, :1], heads[:, :, 1:]
    across = torch.stack([-patches[..., 1::2], patches[..., 0::2]], dim=-1).flatten(-2)
    return torch.cat([first, patches * cosine + across * sine], dim=2)
