"""CLIP, SigLIP, SigLIP 2 and MetaCLIP 2: frames one by one, and their mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from moviola.core.abilities import Precision, TowerName
from moviola.core.frame_towers import Shrink
from moviola.core.frames import Frames
from moviola.core.protocols import FrameSampler
from moviola.core.sampling import EndsSampler, GridSampler, UniformSampler
from moviola.core.spaces import Readout
from moviola.encode.runtime.batching import run_batched
from moviola.encode.runtime.precision import Tower, best_device, probe_frames
from moviola.encode.runtime.preprocessing import Patches
from moviola.encode.runtime.text_tower import TextTower
from moviola.encode.two_tower.loading import LoadedModel, load_model
from moviola.encode.two_tower.vision import PatchVision, Vision

if TYPE_CHECKING:
    from numpy.typing import NDArray

Pooling = Literal["mean", "none"]
Recipe = Literal["uniform", "mteb", "grid"]
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
        sampler: FrameSampler,
        pooling: Pooling = "mean",
        precision: Precision | None = None,
    ) -> None:
        if pooling not in get_args(Pooling):
            raise ValueError(f"the pooling is one of {get_args(Pooling)}, not {pooling!r}")
        model, kind, preprocessing = loaded.model, loaded.kind, loaded.preprocessing
        self.space = loaded.space
        self.sampler = sampler
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

    @property
    def shrink(self) -> Shrink:
        """Return what reduces frames to the size that the model sees."""
        return self._preprocessing.shrink_frames

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
        return [self._pooled(torch.stack([next(rows) for _ in range(len(clip))])) for clip in clips]

    @property
    def frame_tower(self) -> TwoTowerEncoder:
        """Return the encoder itself, which sees frames one by one."""
        return self

    def encode_frames(self, frames: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Encode frames `(H, W, 3)` uint8, at least one, to unit rows `(N, D)`."""
        small = [self._preprocessing.shrink(frame[None])[0] for frame in frames]
        return torch.stack(self._rows(small)).numpy()

    def pool_frames(self, clips: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Pool the rows `(T, D)` of each clip's frames as `encode_videos` does."""
        return [self._pooled(torch.from_numpy(np.ascontiguousarray(rows))) for rows in clips]

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

    def _pooled(self, rows: Tensor) -> NDArray[np.float32]:
        if self._pooling == "none":
            return rows.numpy()
        return functional.normalize(rows.mean(0, keepdim=True), dim=-1).numpy()


def load(
    model: str,
    revision: str | None = None,
    *,
    frames: int = 8,
    recipe: Recipe = "uniform",
    rate: int | str = 2,
    pooling: Pooling = "mean",
    precision: Precision | None = None,
) -> TwoTowerEncoder:
    """Load CLIP, SigLIP, SigLIP 2 or MetaCLIP 2 from the hub or a folder.

    Args:
        model: an id such as `openai/clip-vit-base-patch32`, or a folder: a checkpoint, or an
            adapter of one, such as `moviola finetune` writes.
        revision: a commit, branch or tag.
        frames: how many of a clip are looked at, except by a grid.
        recipe: `"uniform"`: each frame in the middle of an equal part of the clip. `"mteb"`: from
            the first to the last, as mteb samples a number of frames; its own wrappers of these
            models take pictures only. `"grid"`: the frames of one grid over the whole video, which
            clips that overlap share.
        rate: frames a second of the grid.
        pooling: `"mean"` for one row a clip, `"none"` for one a frame.
        precision: `"float32"` or `"bfloat16"`; None for that of the device.

    Raises:
        WeightsUnavailableError: when the weights are neither here nor to be had, or do not fit.
        ValueError: when an option has no such value, or the checkpoint is of another kind.
    """
    sampler = find_sampler(recipe, frames, rate)
    return TwoTowerEncoder(
        load_model(model, revision), sampler=sampler, pooling=pooling, precision=precision
    )


def find_sampler(recipe: Recipe, frames: int, rate: float | str) -> FrameSampler:
    """Return the sampler that the options of a model's name mean.

    Raises:
        ValueError: when there is no such recipe, or the number or rate is not positive.
    """
    match recipe:
        case "uniform":
            return UniformSampler(frames)
        case "mteb":
            return EndsSampler(frames)
        case "grid":
            return GridSampler(float(rate))
        case _:
            raise ValueError(f"the recipe is one of {get_args(Recipe)}, not {recipe!r}")
