"""X-CLIP of Microsoft (Ni et al., ECCV 2022): eight frames that see one another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from moviola.core.abilities import Precision, TowerName
from moviola.core.frame_towers import Shrink
from moviola.core.frames import Frames
from moviola.core.sampling import ConsecutiveSampler, EndsSampler, UniformSampler
from moviola.core.spaces import Metric, Readout, Space
from moviola.encode.runtime.batching import run_batched
from moviola.encode.runtime.hub import fetch
from moviola.encode.runtime.loading import checkpoint_digest, load_strictly
from moviola.encode.runtime.precision import Tower, best_device, probe_frames
from moviola.encode.runtime.preprocessing import Preprocessing
from moviola.encode.runtime.text_tower import TextTower
from moviola.encode.runtime.tokenizers import load_tokenizer
from moviola.encode.xclip.scorer import TOKENS, ConditionedScorer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from transformers import XCLIPModel

Recipe = Literal["uniform", "prototype", "mteb"]
Output = Literal["towers", "conditioned"]
_SAMPLERS = {"uniform": UniformSampler, "prototype": ConsecutiveSampler, "mteb": EndsSampler}
_CLIPS = 4
"""Clips at a time on a CPU, where more gain nothing; a GPU takes four times as many."""
_PROCESSOR = {
    "size": {"shortest_edge": 224},
    "crop_size": 224,
    "do_center_crop": True,
    "resample": 2,
}


class VideoSide(nn.Module):
    """The parts of X-CLIP that look at frames."""

    def __init__(self, model: XCLIPModel) -> None:
        super().__init__()
        self.vision_model = model.vision_model
        self.visual_projection = model.visual_projection
        self.mit = model.mit
        self.norm = model.prompts_visual_layernorm
        self.projection = model.prompts_visual_projection

    def forward(self, pixels: Tensor) -> Tensor:
        """Map `(B, T, 3, H, W)` to `(B, 1 + P, D)`: the video, then P patches' means over time."""
        batch, frames = pixels.shape[:2]
        seen = self.vision_model(pixels.flatten(0, 1))
        each = self.visual_projection(seen.pooler_output).view(batch, frames, -1)
        video = self.mit(each).pooler_output
        patches = self.norm(seen.last_hidden_state[:, 1:]) @ self.projection
        patches = patches.unflatten(0, (batch, frames)).mean(1)
        return torch.cat([video[:, None], patches], 1)

    def video(self, pixels: Tensor) -> Tensor:
        """Map `(B, T, 3, H, W)` to `(B, 1, D)`: the video alone."""
        batch, frames = pixels.shape[:2]
        seen = self.vision_model(pixels.flatten(0, 1)).pooler_output
        each = self.visual_projection(seen).view(batch, frames, -1)
        return self.mit(each).pooler_output[:, None]


class XClipEncoder:
    """Texts and clips of 8 frames as vectors of one space.

    Its two towers leave out what the model does beside them: its texts look at the patches of the
    video that they are compared with. That is `output="conditioned"`: clips become the rows that
    the texts look at, texts one row each, neither of unit length, and `scorer` makes the model's
    own logits of them. See `moviola.encode.xclip.scorer`.
    """

    def __init__(
        self,
        model: XCLIPModel,
        tokens: Any,
        preprocessing: Preprocessing,
        space: Space,
        *,
        recipe: Recipe = "uniform",
        output: Output = "towers",
        precision: Precision | None = None,
    ) -> None:
        if recipe not in get_args(Recipe):
            raise ValueError(f"the recipe is one of {get_args(Recipe)}, not {recipe!r}")
        if output not in get_args(Output):
            raise ValueError(f"the output is one of {get_args(Output)}, not {output!r}")
        config: Any = model.config
        count = config.vision_config.num_frames
        self.sampler = _SAMPLERS[recipe](count)
        self.space = space
        self._conditioned = output == "conditioned"
        self._unit = space.metric == "cosine"
        self._preprocessing = preprocessing
        device = best_device()
        self.scorer = ConditionedScorer(model, space) if self._conditioned else None
        run = VideoSide.forward if self._conditioned else VideoSide.video
        self._video = Tower(
            VideoSide(model),
            run,
            device,
            precision=precision,
            probe=lambda: preprocessing(probe_frames(count))[None],
        )
        self._batch = _CLIPS if device.type == "cpu" else 4 * _CLIPS
        # The tower has it now, and lets go of what it does not need.
        del model.vision_model
        on_device: Any = nn.Module.to(model, device)
        self._text = TextTower(
            tokens,
            lambda ids, mask: on_device.get_text_features(ids, attention_mask=mask).pooler_output,
            length=config.text_config.max_position_embeddings,
            padding="longest",
            masked=True,
            device=device,
            precision=precision,
        )

    @property
    def video_readout(self) -> Readout:
        """Tell how clips are read."""
        return Readout(
            preprocessing=self._preprocessing.spec,
            sampling=self.sampler.spec,
            tokens=TOKENS if self._conditioned else "video",
            pooling="none" if self._conditioned else "mean",
        )

    @property
    def text_readout(self) -> Readout:
        """Tell how texts are read."""
        return Readout(preprocessing="CLIP", sampling=self._text.spec, tokens="end", pooling="last")

    @property
    def shrink(self) -> Shrink:
        """Return what reduces frames to the size that the model sees."""
        return self._preprocessing.shrink_frames

    def precision(self, tower: TowerName) -> Precision:
        """Return the precision of matrix products in the tower for `"clips"` or `"texts"`."""
        return self._video.precision if tower == "clips" else self._text.precision

    def encode_texts(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """Encode each text to a `(1, D)` float32 array."""
        return [self._finished(row[None]) for row in self._text(texts)]

    def encode_videos(self, clips: Sequence[Frames]) -> list[NDArray[np.float32]]:
        """Encode each clip to `(1, D)` float32, or `(1 + P, D)` where texts are conditioned.

        Raises:
            ValueError: a clip has another number of frames than the model sees.
        """
        for clip in clips:
            if len(clip) != self.sampler.count:
                raise ValueError(
                    f"X-CLIP sees {self.sampler.count} frames together, not {len(clip)}"
                )
        return run_batched(self._encode, clips, self._batch)

    def _encode(self, clips: Sequence[Frames]) -> list[NDArray[np.float32]]:
        pixels = torch.stack([self._preprocessing(clip.pixels) for clip in clips])
        return [self._finished(rows) for rows in self._video(pixels)]

    def _finished(self, rows: Tensor) -> NDArray[np.float32]:
        return (functional.normalize(rows, dim=-1) if self._unit else rows).numpy()


def load(
    model: str,
    revision: str | None = None,
    *,
    recipe: Recipe = "uniform",
    output: Output = "towers",
    precision: Precision | None = None,
) -> XClipEncoder:
    """Load X-CLIP from the hub or a folder.

    Args:
        model: an id such as `microsoft/xclip-base-patch32`, or a folder.
        revision: a commit, branch or tag.
        recipe: `"uniform"`: 8 frames from the whole clip, vectors of unit length. `"prototype"`: 8
            neighbouring frames at a random place, vectors as they come, as in the research report
            that reported MRR 0.1465 on MSR-VTT for base-patch32. `"mteb"`: 8 frames from the first
            to the last, as mteb's wrapper samples.
        output: `"towers"`, or `"conditioned"` for texts that look at each video.
        precision: `"float32"` or `"bfloat16"`; None for that of the device.

    Raises:
        WeightsUnavailableError: when the weights are neither here nor to be had, or do not fit.
        ValueError: when an option has no such value.
    """
    from transformers import XCLIPModel

    checkpoint = fetch(model, revision=revision)
    preprocessing = Preprocessing.from_folder(checkpoint.folder, _PROCESSOR)
    loaded = load_strictly(XCLIPModel, checkpoint.folder)
    config: Any = loaded.config
    metric: Metric = "cosine" if recipe != "prototype" and output == "towers" else "dot"
    space = Space(
        model=checkpoint.model,
        revision=checkpoint.revision,
        weights=checkpoint_digest(checkpoint.folder),
        dimension=config.projection_dim,
        metric=metric,
    )
    tokens = load_tokenizer(checkpoint.folder)
    return XClipEncoder(
        loaded, tokens, preprocessing, space, recipe=recipe, output=output, precision=precision
    )
