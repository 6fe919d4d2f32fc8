"""Take the vision tower out of a two-tower model."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class Vision(nn.Module):
    """The parts of a model that look at frames, without its text tower."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.vision_model = model.vision_model
        self.projection = getattr(model, "visual_projection", nn.Identity())

    def forward(self, pixels: Tensor) -> Tensor:
        """Map `(B, 3, H, W)` to `(B, D)`."""
        return self.projection(self.vision_model(pixels).pooler_output)


class PatchVision(nn.Module):
    """The part of SigLIP 2 NaFlex that looks at frames, which it wants cut into patches."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.vision_model = model.vision_model
        self.side: int = model.config.vision_config.patch_size

    def forward(self, pixels: Tensor) -> Tensor:
        """Map `(B, 3, H, W)`, H and W multiples of the side of a patch, to `(B, D)`."""
        batch, rows, columns = len(pixels), *(n // self.side for n in pixels.shape[2:])
        patches = pixels.unflatten(3, (columns, self.side)).unflatten(2, (rows, self.side))
        return self.vision_model(
            pixel_values=patches.permute(0, 2, 4, 3, 5, 1).reshape(batch, rows * columns, -1),
            pixel_attention_mask=pixels.new_ones((batch, rows * columns), dtype=torch.int32),
            spatial_shapes=torch.tensor([[rows, columns]] * batch, device=pixels.device),
        ).pooler_output
