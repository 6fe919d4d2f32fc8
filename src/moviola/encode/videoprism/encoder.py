"""VideoPrism's video-text models (Zhao et al., ICML 2024): a clip is read as a whole."""

from __future__ import annotations

import string
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import torch
from torch.nn import functional
from transformers import VideoPrismClipModel

from moviola.core.abilities import Precision, TowerName
from moviola.core.frame_towers import Shrink
from moviola.core.frames import Frames
from moviola.core.sampling import EndsSampler, UniformSampler
from moviola.core.spaces import Readout, Space
from moviola.encode.runtime.batching import run_batched
from moviola.encode.runtime.hub import fetch
from moviola.encode.runtime.loading import checkpoint_digest, load_strictly
from moviola.encode.runtime.precision import Tower, probe_frames
from moviola.encode.runtime.preprocessing import Preprocessing, stored_config
from moviola.encode.runtime.text_tower import TextTower
from moviola.encode.runtime.tokenizers import load_tokenizer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn
    from transformers import VideoPrismTextConfig, VideoPrismVisionConfig

Recipe = Literal["uniform", "mteb"]
_SAMPLERS = {"uniform": UniformSampler, "mteb": EndsSampler}
_CLIPS = 8
_COMPUTED = frozenset(
    {"text_model.embeddings.position_embedding", "text_model.embeddings.position_ids"}
)
"""Names of what is computed rather than learned, so that a checkpoint may leave it out."""
_SPACES = str.maketrans(string.punctuation, " " * len(string.punctuation))


def canonical(text: str) -> str:
    """Spell a text as the text tower was trained on it: lower case, no punctuation, a full stop.

    As `canonicalize_text` of google-deepmind/videoprism does by default; the tokenizer of
    transformers leaves it to its caller.
    """
    return " ".join(text.translate(_SPACES).lower().split()) + "."


class VideoPrismEncoder:
    """Texts and clips as unit vectors of one space.

    Args:
        model: the weights, in float32.
        tokenizer: of the text tower.
        preprocessing: of frames.
        space: the space of exactly these weights.
        frames: how many frames a clip is read by; None for as many as the model was trained on.
            Another number interpolates the embeddings of time.
        recipe: where those frames lie, as `load` takes it.
        precision: `"float32"` or `"bfloat16"`; None for that of the device.
    """

    def __init__(
        self,
        model: VideoPrismClipModel,
        tokenizer: Any,
        preprocessing: Preprocessing,
        space: Space,
        *,
        frames: int | None = None,
        recipe: Recipe = "uniform",
        precision: Precision | None = None,
    ) -> None:
        trained = _vision_config(model).num_frames
        if recipe not in _SAMPLERS:
            raise ValueError(f"the recipe is one of {tuple(_SAMPLERS)}, not {recipe!r}")
        self._sampler = _SAMPLERS[recipe](frames or trained)
        self._stretched = self._sampler.count != trained
        self._space = space
        self._preprocessing = preprocessing
        self._video = Tower(
            model.video_model,
            self._run_video,
            precision=precision,
            probe=lambda: preprocessing(probe_frames(self._sampler.count))[None],
        )
        text_model = cast("nn.Module", model.text_model).to(self._video.device)
        self._text = TextTower(
            tokenizer,
            lambda ids, mask: text_model(input_ids=ids, attention_mask=mask).pooler_output,
            length=_text_config(model).max_position_embeddings,
            padding="max_length",
            masked=True,
            device=self._video.device,
            precision=precision,
        )

    @property
    def space(self) -> Space:
        """Return the space of exactly these weights."""
        return self._space

    @property
    def sampler(self) -> UniformSampler | EndsSampler:
        """Return the frames of a clip, each from the middle of an equal part of it."""
        return self._sampler

    @property
    def video_readout(self) -> Readout:
        """Tell how clips are read."""
        return Readout(
            preprocessing=self._preprocessing.spec,
            sampling=self._sampler.spec,
            pooling="attention",
        )

    @property
    def text_readout(self) -> Readout:
        """Tell how texts are read."""
        return Readout(
            preprocessing="lower case, no punctuation, full stop",
            sampling=self._text.spec,
            tokens="class",
            pooling="class",
        )

    @property
    def shrink(self) -> Shrink:
        """Return what reduces frames to the size that the model sees."""
        return self._preprocessing.shrink_frames

    def precision(self, tower: TowerName) -> Precision:
        """Return the precision of matrix products in the tower for `"clips"` or `"texts"`."""
        return self._video.precision if tower == "clips" else self._text.precision

    def encode_texts(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """Encode each text to a `(1, D)` float32 row of unit length."""
        return [_unit_row(row) for row in self._text([canonical(text) for text in texts])]

    def encode_videos(self, clips: Sequence[Frames]) -> list[NDArray[np.float32]]:
        """Encode each clip to a `(1, D)` float32 row of unit length.

        Raises:
            ValueError: a clip has another number of frames than the sampler asks for.
        """
        for clip in clips:
            if len(clip) != self._sampler.count:
                raise ValueError(
                    f"a clip of {len(clip)} frames; VideoPrism reads {self._sampler.count} here"
                )
        return run_batched(self._encode_videos, clips, _CLIPS)

    def _encode_videos(self, clips: Sequence[Frames]) -> list[NDArray[np.float32]]:
        pixels = torch.stack([self._preprocessing(clip.pixels) for clip in clips])
        return [_unit_row(row) for row in self._video(pixels)]

    def _run_video(self, module: nn.Module, pixels: Tensor) -> Tensor:
        found = module(pixel_values_videos=pixels, interpolate_pos_encoding=self._stretched)
        return found.pooler_output[:, 0]


def load(
    model: str,
    revision: str | None = None,
    *,
    frames: int | None = None,
    recipe: Recipe = "uniform",
    precision: Precision | None = None,
) -> VideoPrismEncoder:
    """Load VideoPrism LvT: texts and clips, 16 frames (base) or 8 (large) at 288x288.

    Args:
        model: an id on the hub, or a folder.
        revision: a commit, branch or tag; None for the main branch.
        frames: frames a clip; None for as many as the model was trained on.
        recipe: `"uniform"`: each in the middle of an equal part of the clip. `"mteb"`: from the
            first to the last, as mteb's wrapper samples.
        precision: `"float32"` or `"bfloat16"`; None for that of the device.

    Raises:
        WeightsUnavailableError: when they are neither here nor to be had, or do not fit.
        ValueError: when there is no such recipe.
    """
    found = fetch(model, revision=revision)
    weights = load_strictly(VideoPrismClipModel, found.folder, ignored=_COMPUTED)
    space = Space(
        model=found.model,
        revision=found.revision,
        weights=checkpoint_digest(found.folder),
        dimension=_text_config(weights).hidden_size,
    )
    tokenizer = load_tokenizer(found.folder)
    return VideoPrismEncoder(
        weights,
        tokenizer,
        _preprocessing(found.folder, weights),
        space,
        frames=frames,
        recipe=recipe,
        precision=precision,
    )


def _vision_config(model: VideoPrismClipModel) -> VideoPrismVisionConfig:
    return cast("VideoPrismVisionConfig", model.config.vision_config)


def _text_config(model: VideoPrismClipModel) -> VideoPrismTextConfig:
    return cast("VideoPrismTextConfig", model.config.text_config)


def _preprocessing(folder: Path, model: VideoPrismClipModel) -> Preprocessing:
    """Keep values in [0, 1] and crop nothing, as `VideoPrismProcessor` does in any case."""
    size = _vision_config(model).image_size
    height, width = (size, size) if isinstance(size, int) else size
    resample = stored_config(folder, "video_processor").get("resample", 3)
    return Preprocessing.from_config(
        {
            "size": {"height": height, "width": width},
            "resample": resample,
            "do_normalize": False,
        }
    )


def _unit_row(vector: Tensor) -> NDArray[np.float32]:
    return functional.normalize(vector[None], dim=-1).numpy()
