"""CLIP, SigLIP, SigLIP 2 and MetaCLIP 2: frames one by one, and their mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from moviola.core.abilities import Precision, TowerName
from moviola.core.frames import Frames
from moviola.core.sampling import EndsSampler, UniformSampler
from moviola.core.spaces import Readout
from moviola.encode.runtime.batching import run_batched
from moviola.encode.runtime.precision import Tower, best_device, probe_frames
from moviola.encode.runtime.preprocessing import Patches
from moviola.encode.runtime.text_tower import TextTower
from moviola.encode.two_tower.loading import LoadedModel, load_model
from moviola.encode.two_tower.vision import PatchVision, Vision

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Pooling = Literal["mean", "none"]
Recipe = Literal["uniform", "mteb"]
_SAMPLERS = {"uniform": UniformSampler, "mteb": EndsSampler}
_FRAMES = 32
"""Frames at a time on a CPU, where more gain nothing; a GPU takes eight times as many."""


class TwoTowerEncoder:
    """Texts and clips as unit vectors of one space, through a model of pictures.

    Each frame becomes a unit row; a clip is the mean of its frames, of unit length again, unless
    its rows are kept.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        *,
        frames: int = 8,
        pooling: Pooling = "mean",
        recipe: Recipe = "uniform",
        precision: Precision | None = None,
    ) -> None:
        if recipe not in get_args(Recipe):
            raise ValueError(f"the recipe is one of {get_args(Recipe)}, not {recipe!r}")
        if pooling not in get_args(Pooling):
            raise ValueError(f"the pooling is one of {get_args(Pooling)}, not {pooling!r}")
        model, kind, preprocessing = loaded.model, loaded.kind, loaded.preprocessing
        self.space = loaded.space
        self.sampler = _SAMPLERS[recipe](frames)
        self._pooling: Pooling = pooling
        self._preprocessing = preprocessing
        device = best_device()
        vision = PatchVision if isinstance(preprocessing.resize, Patches) else Vision
        self._video = Tower(
            vision(model),
            nn.Module.__call__,
            device,
            precision=precision,
            probe=lambda: preprocessing(probe_frames(1)),
        )
        self._batch = _FRAMES if device.type == "cpu" else 8 * _FRAMES
        # The tower has it now, and lets go of what it does not need.
        del model.vision_model
        model.to(device)
        self._text = TextTower(
            loaded.tokenizer,
            lambda ids, mask: model.get_text_features(ids, attention_mask=mask).pooler_output,
            length=min(kind.length, model.config.text_config.max_position_embeddings),
            padding=kind.padding,
            masked=kind.masked,
            device=device,
            precision=precision,
        )

    @property
    def video_readout(self) -> Readout:
        """Tell how clips are read."""
        return Readout(
            preprocessing=self._preprocessing.spec,
            sampling=self.sampler.spec,
            tokens="frames",
            pooling=self._pooling,
        )

    @property
    def text_readout(self) -> Readout:
        """Tell how texts are read."""
        return Readout(
            preprocessing="tokens as trained",
            sampling=self._text.spec,
            tokens="sentence",
            pooling="model",
        )

    def precision(self, tower: TowerName) -> Precision:
        """Return the precision of matrix products in the tower for `"clips"` or `"texts"`."""
        return self._video.precision if tower == "clips" else self._text.precision

    def encode_texts(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """Encode each text to a `(1, D)` float32 array of unit length."""
        return [functional.normalize(row[None], dim=-1).numpy() for row in self._text(texts)]

    def encode_videos(self, clips: Sequence[Frames]) -> list[NDArray[np.float32]]:
        """Encode each clip to `(n, D)` float32 unit rows; n is 1, or its frames if unpooled.

        Raises:
            ValueError: a clip has no frames.
        """
        if any(len(clip) == 0 for clip in clips):
            raise ValueError("a clip without frames cannot be encoded")
        small = [frame for clip in clips for frame in self._preprocessing.shrink(clip.pixels)]
        rows = iter(self._rows(small))
        return [self._pooled([next(rows) for _ in range(len(clip))]) for clip in clips]

    def _rows(self, frames: Sequence[Tensor]) -> list[Tensor]:
        """Encode each frame to a unit row `(D,)`; those of one size share batches."""
        alike: dict[torch.Size, list[int]] = {}
        for place, frame in enumerate(frames):
            alike.setdefault(frame.shape, []).append(place)
        found: dict[int, Tensor] = {}
        for places in alike.values():
            own = run_batched(self._encode, [frames[place] for place in places], self._batch)
            found.update(zip(places, own, strict=True))
        return [found[place] for place in range(len(frames))]

    def _encode(self, frames: Sequence[Tensor]) -> Sequence[Tensor]:
        pixels = self._preprocessing.normalise(torch.stack(list(frames)))
        return functional.normalize(self._video(pixels), dim=-1).unbind()

    def _pooled(self, rows: Sequence[Tensor]) -> NDArray[np.float32]:
        stacked = torch.stack(list(rows))
        if self._pooling == "none":
            return stacked.numpy()
        return functional.normalize(stacked.mean(0, keepdim=True), dim=-1).numpy()


def load(
    model: str,
    revision: str | None = None,
    *,
    frames: int = 8,
    pooling: Pooling = "mean",
    recipe: Recipe = "uniform",
    precision: Precision | None = None,
) -> TwoTowerEncoder:
    """Load CLIP, SigLIP, SigLIP 2 or MetaCLIP 2 from the hub or a folder.

    Args:
        model: an id such as `openai/clip-vit-base-patch32`, or a folder: a checkpoint, or an
            adapter of one, such as `moviola finetune` writes.
        revision: a commit, branch or tag.
        frames: how many of a clip are looked at.
        pooling: `"mean"` for one row a clip, `"none"` for one a frame.
        recipe: `"uniform"`: each frame in the middle of an equal part of the clip. `"mteb"`: from
            the first to the last, as mteb samples a number of frames; its own wrappers of these
            models take pictures only.
        precision: `"float32"` or `"bfloat16"`; None for that of the device.

    Raises:
        WeightsUnavailableError: when the weights are neither here nor to be had, or do not fit.
        ValueError: when an option has no such value, or the checkpoint is of another kind.
    """
    return TwoTowerEncoder(
        load_model(model, revision),
        frames=frames,
        pooling=pooling,
        recipe=recipe,
        precision=precision,
    )
