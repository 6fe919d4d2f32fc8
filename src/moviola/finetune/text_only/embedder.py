"""Embed texts by the language model of a chat model, with gradients, as its encoder does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from moviola.encode.chat.backbone import ChatBackbone
from moviola.encode.chat.loading import DEFAULT
from moviola.encode.decoder.presets import CHAT_PRESETS
from moviola.finetune.training.lora import with_lora

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from moviola.finetune.text_only.config import TextOnlyConfig

TARGETS = ("q_proj", "k_proj", "v_proj", "gate_proj", "up_proj", "down_proj")
"""Layers beside which LoRA's matrices stand: those that Qwen3-VL-Embedding was trained by."""


class TextEmbedder(nn.Module):
    """Map texts to unit vectors: the last layer's state at the end of the one-word prompt.

    Args:
        backbone: the chat model; its language model is changed in place.
        config: of the run.

    Raises:
        MissingExtraError: when `peft` is not installed.
    """

    def __init__(self, backbone: ChatBackbone, config: TextOnlyConfig) -> None:
        super().__init__()
        self.backbone = backbone
        self.wrapped: Any = with_lora(
            backbone.network.language, config.rank, config.alpha, TARGETS
        ).eval()
        self._prompt = CHAT_PRESETS[DEFAULT].text.prompt
        self._config = config

    def learned(self) -> dict[str, nn.Parameter]:
        """Return the parameters that learn, by name."""
        return {name: each for name, each in self.named_parameters() if each.requires_grad}

    def forward(self, texts: Sequence[str]) -> Tensor:
        """Embed B texts to unit vectors `(B, D)`."""
        rows = [
            self.backbone.row(self._prompt, self.backbone.caption(text, self._config.length))
            for text in texts
        ]
        inputs = self.backbone.inputs(rows)
        states: Tensor = self.backbone.network.language(
            inputs_embeds=inputs.embeds,
            attention_mask=inputs.mask,
            position_ids=inputs.positions,
            use_cache=False,
        ).last_hidden_state
        ends = inputs.mask.sum(dim=1) - 1
        last = states[torch.arange(len(rows), device=states.device), ends]
        return functional.normalize(last.float(), dim=-1)

    @torch.no_grad()
    def embed_all(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed N texts for measuring, `(N, D)`."""
        size = self._config.chunk
        parts = [self(texts[at : at + size]).cpu() for at in range(0, len(texts), size)]
        return torch.cat(parts).numpy()
