"""Embed frames and captions with gradients, exactly as the encoder does without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from moviola.encode.pe_core.model import PeCore
from moviola.encode.runtime.text_tower import tokenize
from moviola.encode.two_tower.loading import LoadedModel
from moviola.finetune.training.lora import with_lora
from moviola.finetune.two_tower.config import FinetuneConfig
from moviola.finetune.two_tower.frames import CachedFrames

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TARGETS = ["q_proj", "k_proj", "v_proj", "out_proj"]
"""Projections of attention as every model of transformers calls them."""
_PE_CORE_TARGETS = ["in_proj", "out_proj", "attn.qkv", "attn.proj"]
"""Projections of attention of PE-Core's text tower, and of its vision tower."""


class TrainableTowers(nn.Module):
    """Map frames and captions to unit vectors of a two-tower model, and choose what learns.

    Dropout stays off, as when the model encodes: the gradient cache needs the same vectors twice.

    Args:
        loaded: the model; changed in place.
        config: of the run.

    Raises:
        MissingExtraError: when LoRA is wanted and `peft` is not installed.
    """

    def __init__(self, loaded: LoadedModel, config: FinetuneConfig) -> None:
        super().__init__()
        self.loaded = loaded
        if config.method == "lora":
            targets = _PE_CORE_TARGETS if isinstance(loaded.model, PeCore) else _TARGETS
            self.model: Any = with_lora(loaded.model, config.rank, config.alpha, targets)
        else:
            self.model = loaded.model.requires_grad_(requires_grad=True)
        self.eval()

    @property
    def scale(self) -> Tensor:
        """Return the factor on the cosine, at most 100, as CLIP has it; LoRA leaves it alone."""
        return self.core.logit_scale.exp().clamp(max=100.0)

    @property
    def core(self) -> Any:
        """Return the model itself, inside LoRA where there is LoRA."""
        return self.loaded.model

    def learned(self) -> dict[str, nn.Parameter]:
        """Return the parameters that learn, by name."""
        return {name: each for name, each in self.named_parameters() if each.requires_grad}

    def tokenize(self, texts: Sequence[str]) -> dict[str, Tensor]:
        """Tokenize B captions to `ids` `(B, L)`, and `mask` `(B, L)` where the model takes one."""
        kind = self.loaded.kind
        length = min(kind.length, self.core.config.text_config.max_position_embeddings)
        tokens = tokenize(self.loaded.tokenizer, texts, length=length, padding=kind.padding)
        found = {"ids": tokens["input_ids"]}
        return found | ({"mask": tokens["attention_mask"]} if kind.masked else {})

    def embed_texts(self, tokens: Mapping[str, Tensor]) -> Tensor:
        """Map what `tokenize` gave for B captions to unit vectors `(B, D)`."""
        found = self.core.get_text_features(tokens["ids"], attention_mask=tokens.get("mask"))
        return functional.normalize(found.pooler_output.float(), dim=-1)

    def embed_clips(self, frames: Tensor) -> Tensor:
        """Map `(B, T, 3, H, W)` uint8 to unit vectors `(B, D)`: the mean of unit rows of frames."""
        pixels = self.loaded.preprocessing.normalise(frames.flatten(0, 1))
        rows = self.core.get_image_features(pixels).pooler_output.float()
        rows = functional.normalize(rows, dim=-1).unflatten(0, frames.shape[:2])
        return functional.normalize(rows.mean(1), dim=-1)

    @torch.no_grad()
    def embed_all(
        self, frames: CachedFrames, rows: NDArray[np.int64], texts: Sequence[str], *, size: int
    ) -> tuple[Tensor, Tensor]:
        """Embed captions and clips for measuring, `(N, D)` and `(M, D)` on the CPU.

        Args:
            frames: of all clips.
            rows: `(M,)` of the clips that are embedded.
            texts: N captions.
            size: clips, or captions, at a time.
        """
        device = next(self.parameters()).device
        clips = [
            self.embed_clips(torch.from_numpy(frames[rows[at : at + size]]).to(device)).cpu()
            for at in range(0, len(rows), size)
        ]
        words = [
            self.embed_texts(
                {
                    name: each.to(device)
                    for name, each in self.tokenize(texts[at : at + size]).items()
                }
            ).cpu()
            for at in range(0, len(texts), size)
        ]
        return torch.cat(words), torch.cat(clips)
