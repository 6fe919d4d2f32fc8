"""CLIP, SigLIP, SigLIP 2 and MetaCLIP 2: frames one by one, and their mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from moviola.core.abilities import Precision, TowerName
from moviola.core.frames import Frames
from moviola.core.paths import display_path
from moviola.core.sampling import UniformSampler
from moviola.core.spaces import Readout, Space
from moviola.encode.runtime.batching import run_batched
from moviola.encode.runtime.config_files import read_config
from moviola.encode.runtime.hub import fetch
from moviola.encode.runtime.loading import checkpoint_digest, load_strictly
from moviola.encode.runtime.precision import Tower, best_device, probe_frames
from moviola.encode.runtime.preprocessing import Patches, Preprocessing
from moviola.encode.runtime.text_tower import TextTower
from moviola.encode.runtime.tokenizers import load_tokenizer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Pooling = Literal["mean", "none"]
_FRAMES = 32
"""Frames at a time on a CPU, where more gain nothing; a GPU takes eight times as many."""


@dataclass(frozen=True, slots=True)
class Kind:
    """The settings that differ between the models.

    Attributes:
        model: name of the class in transformers.
        processor: what its image processor does where a checkpoint is silent.
        padding: how sentences are padded, which changes SigLIP's vectors.
        length: tokens at most where the configuration allows more than the model was trained on.
        masked: whether the text tower is told which tokens are padding.
    """

    model: str
    processor: dict[str, Any]
    padding: Literal["longest", "max_length"]
    length: int
    masked: bool


_SHORTEST = {
    "size": {"shortest_edge": 224},
    "crop_size": 224,
    "do_center_crop": True,
    "resample": 3,
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
}
_SQUASHED = {
    "size": {"height": 224, "width": 224},
    "do_center_crop": False,
    "resample": 3,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
}
_NAFLEX = {
    "max_num_patches": 256,
    "patch_size": 16,
    "resample": 2,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
}
KINDS = {
    "clip": Kind("CLIPModel", _SHORTEST, "longest", 77, masked=True),
    # SigLIP was trained on sentences padded to 64 tokens, and sees the padding.
    "siglip": Kind("SiglipModel", _SQUASHED, "max_length", 64, masked=False),
    "siglip2": Kind("Siglip2Model", _NAFLEX, "max_length", 64, masked=False),
    "metaclip_2": Kind("MetaClip2Model", _SHORTEST, "longest", 77, masked=True),
}
"""By the `model_type` of a checkpoint's `config.json`; SigLIP 2 says `siglip`, but for NaFlex."""


class _Vision(nn.Module):
    """The parts of a model that look at frames, without its text tower."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.vision_model = model.vision_model
        self.projection = getattr(model, "visual_projection", nn.Identity())

    def forward(self, pixels: Tensor) -> Tensor:
        """Map `(B, 3, H, W)` to `(B, D)`."""
        return self.projection(self.vision_model(pixels).pooler_output)


class _PatchVision(nn.Module):
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


class TwoTowerEncoder:
    """Texts and clips as unit vectors of one space, through a model of pictures.

    Each frame becomes a unit row; a clip is the mean of its frames, of unit length again, unless
    its rows are kept.
    """

    def __init__(
        self,
        model: Any,
        kind: Kind,
        tokens: Any,
        preprocessing: Preprocessing,
        space: Space,
        *,
        frames: int = 8,
        pooling: Pooling = "mean",
        precision: Precision | None = None,
    ) -> None:
        if pooling not in get_args(Pooling):
            raise ValueError(f"the pooling is one of {get_args(Pooling)}, not {pooling!r}")
        self.space = space
        self.sampler = UniformSampler(frames)
        self._pooling: Pooling = pooling
        self._preprocessing = preprocessing
        device = best_device()
        vision = _PatchVision if isinstance(preprocessing.resize, Patches) else _Vision
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
            tokens,
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
    precision: Precision | None = None,
) -> TwoTowerEncoder:
    """Load CLIP, SigLIP, SigLIP 2 or MetaCLIP 2 from the hub or a folder.

    Args:
        model: an id such as `openai/clip-vit-base-patch32`, or a folder.
        revision: a commit, branch or tag.
        frames: how many of a clip are looked at.
        pooling: `"mean"` for one row a clip, `"none"` for one a frame.
        precision: `"float32"` or `"bfloat16"`; None for that of the device.

    Raises:
        WeightsUnavailableError: when the weights are neither here nor to be had, or do not fit.
        ValueError: when an option has no such value, or the checkpoint is of another kind.
    """
    import transformers

    checkpoint = fetch(model, revision=revision)
    kind = _kind(checkpoint.folder)
    preprocessing = Preprocessing.from_folder(checkpoint.folder, kind.processor)
    loaded: Any = load_strictly(getattr(transformers, kind.model), checkpoint.folder)
    space = Space(
        model=checkpoint.model,
        revision=checkpoint.revision,
        weights=checkpoint_digest(checkpoint.folder),
        dimension=_dimension(loaded.config),
    )
    tokens = load_tokenizer(checkpoint.folder)
    return TwoTowerEncoder(
        loaded,
        kind,
        tokens,
        preprocessing,
        space,
        frames=frames,
        pooling=pooling,
        precision=precision,
    )


def _kind(folder: Path) -> Kind:
    found = read_config(folder / "config.json").get("model_type")
    if found not in KINDS:
        raise ValueError(
            f"{display_path(folder)} is a model of type {found!r}; two-tower loads "
            f"{', '.join(KINDS)}"
        )
    return KINDS[found]


def _dimension(config: Any) -> int:
    """Return the length of a vector; SigLIP has no projection, and its towers end in it."""
    projected = getattr(config, "projection_dim", None)
    return int(projected or config.vision_config.hidden_size)
