"""Perception Encoder Audiovisual (Vyas et al., 2025, arXiv 2512.19687): clips, heard or not.

Video and video with sound meet texts in spaces of their own: each has its heads.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PeAudioVideoModel, PeVideoModel

from moviola.core.abilities import Precision, TowerName
from moviola.core.frame_towers import Shrink
from moviola.core.frames import Frames, SoundSpec
from moviola.core.sampling import EndsRateSampler, EndsSampler, RateSampler, UniformSampler
from moviola.core.spaces import Readout, Space
from moviola.encode.perception.loading import load_model
from moviola.encode.runtime.batching import run_batched
from moviola.encode.runtime.hub import fetch
from moviola.encode.runtime.loading import checkpoint_digest
from moviola.encode.runtime.precision import Tower, best_device, probe_frames
from moviola.encode.runtime.preprocessing import Preprocessing, stored_config
from moviola.encode.runtime.text_tower import TextTower
from moviola.encode.runtime.tokenizers import load_tokenizer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Model = PeAudioVideoModel | PeVideoModel

Recipe = Literal["uniform", "mteb"]
Sampler = UniformSampler | RateSampler | EndsSampler | EndsRateSampler

RATE, AT_MOST = 2.0, 64
"""Frames a second, and at most, where a checkpoint was not trained on a fixed number. Its own
processor takes every frame of a file; mteb, whose figures are published, takes these."""
_FRAMES = {
    "size": {"height": 336, "width": 336},
    "resample": 2,
    "image_mean": (0.5, 0.5, 0.5),
    "image_std": (0.5, 0.5, 0.5),
}
_TOKENS, _CLIPS = 512, 4
_PROBED = 8
"""Frames of the clip on which the precision is checked."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """The preparation of sound.

    Attributes:
        rate: samples a second.
        hop: samples that become one token.
    """

    rate: int
    hop: int

    def prepare(self, clip: Frames) -> NDArray[np.float32]:
        """Prepare the samples `(N,)` of a clip, mirrored at the end to whole tokens.

        A clip of a file without sound is silent for as long as its frames last.
        """
        heard = np.zeros(0, np.float32) if clip.sound is None else clip.sound.samples[0]
        if not heard.size:
            heard = np.zeros(max(1, round(_lasts(clip) * self.rate)), np.float32)
        return np.pad(heard, (0, -heard.size % self.hop), "reflect")


class PeAvEncoder:
    """Texts and clips as unit vectors of one space.

    Args:
        model: the weights, in float32; one of video alone hears nothing.
        tokenizer: of the text tower.
        preprocessing: of frames.
        space: the space of these weights and heads.
        sampler: of frames.
        hearing: how sound is prepared; None reads the video alone.
        precision: `"float32"` or `"bfloat16"`; None for that of the device.

    Raises:
        ValueError: when bfloat16 is asked for clips with their sound.
    """

    def __init__(
        self,
        model: Model,
        tokenizer: Any,
        preprocessing: Preprocessing,
        space: Space,
        *,
        sampler: Sampler,
        hearing: Hearing | None = None,
        precision: Precision | None = None,
    ) -> None:
        self._space = space
        self._sampler = sampler
        self._preprocessing = preprocessing
        self._hearing = hearing
        self._device = best_device()
        if hearing is not None:
            if precision == "bfloat16":
                raise ValueError("clips with sound are encoded in float32; leave bfloat16 out")
            heard = cast("PeAudioVideoModel", model)
            head = heard.text_audio_video_head
            self._both = _Both(heard).to(self._device)
        else:
            video = model.video_model if isinstance(model, PeAudioVideoModel) else model
            head = cast("PeVideoModel", video).text_video_head
            self._seen = Tower(
                _Seen(cast("PeVideoModel", video)),
                nn.Module.__call__,
                precision=precision,
                probe=lambda: preprocessing(probe_frames(_PROBED))[None],
            )
        self._text = TextTower(
            tokenizer,
            _Said(model, head).to(self._device),
            length=_TOKENS,
            padding="longest",
            masked=True,
            device=self._device,
            precision=precision,
        )

    @property
    def space(self) -> Space:
        """Return the space of exactly these weights and heads."""
        return self._space

    @property
    def sampler(self) -> Sampler:
        """Return the frames of a clip."""
        return self._sampler

    @property
    def sound(self) -> SoundSpec | None:
        """Return the wanted sound: one channel, where it is heard."""
        return None if self._hearing is None else SoundSpec(self._hearing.rate, 1)

    @property
    def video_readout(self) -> Readout:
        """Tell how clips are read."""
        preprocessing, sampling = self._preprocessing.spec, self._sampler.spec
        if self.sound is not None and self._hearing is not None:
            preprocessing += f"; sound mirrored to {self._hearing.hop}"
            sampling += f" {self.sound.spec}"
        return Readout(preprocessing, sampling, tokens="class", pooling="class")

    @property
    def text_readout(self) -> Readout:
        """Tell how texts are read."""
        return Readout(
            preprocessing="tokens",
            sampling=self._text.spec,
            layer="before the final norm",
            tokens="class",
            pooling="class",
        )

    @property
    def shrink(self) -> Shrink:
        """Return what reduces frames to the size that the model sees."""
        return self._preprocessing.shrink_frames

    def precision(self, tower: TowerName) -> Precision:
        """Return the precision of matrix products in the tower for `"clips"` or `"texts"`.

        That of clips with their sound is float32.
        """
        if tower == "texts":
            return self._text.precision
        return "float32" if self._hearing is not None else self._seen.precision

    def encode_texts(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """Encode each text to a `(1, D)` float32 row of unit length."""
        return [_unit_row(row) for row in self._text(texts)]

    def encode_videos(self, clips: Sequence[Frames]) -> list[NDArray[np.float32]]:
        """Encode each clip to a `(1, D)` float32 row of unit length.

        Clips are batched with others of their length, never padded: the tower of sound would see
        padding.
        """
        waves = [None if self._hearing is None else self._hearing.prepare(clip) for clip in clips]
        alike: dict[tuple[int, int], list[int]] = defaultdict(list)
        for number, (clip, wave) in enumerate(zip(clips, waves, strict=True)):
            alike[len(clip), 0 if wave is None else wave.size].append(number)
        rows: dict[int, NDArray[np.float32]] = {}
        for numbers in alike.values():
            pairs = [(clips[number], waves[number]) for number in numbers]
            rows.update(zip(numbers, run_batched(self._encode_alike, pairs, _CLIPS), strict=True))
        return [rows[number] for number in range(len(clips))]

    @torch.inference_mode()
    def _encode_alike(
        self, pairs: Sequence[tuple[Frames, NDArray[np.float32] | None]]
    ) -> list[NDArray[np.float32]]:
        pixels = torch.stack([self._preprocessing(clip.pixels) for clip, _ in pairs])
        if self._hearing is None:
            return [_unit_row(row) for row in self._seen(pixels)]
        waves = torch.from_numpy(np.stack([wave for _, wave in pairs if wave is not None]))
        rows = self._both(pixels.to(self._device), waves[:, None].to(self._device)).cpu()
        return [_unit_row(row) for row in rows]


class _Said(nn.Module):
    """Tokens `(B, L)` and their mask to vectors of the space of one of the heads.

    The heads were trained on the text before its final norm, where `hidden_states` ends too if it
    is told to.
    """

    def __init__(self, model: Model, head: nn.Module) -> None:
        super().__init__()
        self.encoder, self.head = cast("nn.Module", model.text_model), head
        model.text_model.config.tie_last_hidden_states = False

    def forward(self, ids: Tensor, mask: Tensor | None) -> Tensor:
        found = self.encoder(input_ids=ids, attention_mask=mask, output_hidden_states=-1)
        return self.head(found.hidden_states[-1][:, 0])


class _Seen(nn.Module):
    """Frames `(B, T, 3, H, W)` to vectors of the space of video and text."""

    def __init__(self, model: PeVideoModel) -> None:
        super().__init__()
        self.encoder, self.head = model.video_encoder, model.video_head

    def forward(self, pixels: Tensor) -> Tensor:
        return self.head(self.encoder(pixel_values_videos=pixels).pooler_output)


class _Both(nn.Module):
    """Frames and sound `(B, 1, N)` to vectors of the space of video with sound and text.

    In float32 throughout: half precision would keep eight bits of a waveform.
    """

    def __init__(self, model: PeAudioVideoModel) -> None:
        super().__init__()
        self.encoder, self.head = model.audio_video_encoder, model.audio_video_head

    def forward(self, pixels: Tensor, waves: Tensor) -> Tensor:
        found = self.encoder(input_values=waves, pixel_values_videos=pixels)
        return self.head(found.pooler_output)


def load(
    model: str,
    revision: str | None = None,
    *,
    frames: int | None = None,
    sound: int = 0,
    recipe: Recipe = "uniform",
    precision: Precision | None = None,
) -> PeAvEncoder:
    """Load PE-AV: frames, alone or with their sound.

    Args:
        model: an id on the hub, or a folder.
        revision: a commit, branch or tag; None for the main branch.
        frames: frames a clip; None for as many as the checkpoint was trained on, or two a second
            where it was trained on all.
        sound: 1 to hear the clips as well.
        recipe: `"uniform"`: each frame in the middle of an equal part of the clip. `"mteb"`: from
            the first to the last, as mteb's wrapper samples.
        precision: `"float32"` or `"bfloat16"`; None for that of the device.

    Raises:
        WeightsUnavailableError: when they are neither here nor to be had, or do not fit.
        ValueError: when sound is asked of a checkpoint of video alone, or there is no such recipe.
    """
    found = fetch(model, revision=revision)
    weights = load_model(found.folder)
    if sound and not isinstance(weights, PeAudioVideoModel):
        raise ValueError(f"{found.model} was trained on video alone; leave sound=1 out")
    space = Space(
        model=f"{found.model} with sound" if sound else found.model,
        revision=found.revision,
        weights=checkpoint_digest(found.folder),
        dimension=cast("Any", weights.config.text_config).hidden_size,
    )
    count = frames or stored_config(found.folder, "video_processor").get("num_frames")
    return PeAvEncoder(
        weights,
        load_tokenizer(found.folder),
        Preprocessing.from_folder(found.folder, _FRAMES, part="video_processor"),
        space,
        sampler=_sampler(recipe, count),
        hearing=_hearing(found.folder) if sound else None,
        precision=precision,
    )


def _sampler(recipe: Recipe, count: int | None) -> Sampler:
    """Choose the sampler of a recipe, for a number of frames or the rate."""
    if recipe not in get_args(Recipe):
        raise ValueError(f"the recipe is one of {get_args(Recipe)}, not {recipe!r}")
    if recipe == "mteb":
        return EndsSampler(count) if count else EndsRateSampler(RATE, AT_MOST)
    return UniformSampler(count) if count else RateSampler(RATE, AT_MOST)


def _hearing(folder: Path) -> Hearing:
    config = stored_config(folder, "feature_extractor")
    return Hearing(config.get("sampling_rate", 48_000), config.get("hop_length", 1920))


def _lasts(clip: Frames) -> float:
    """Return the seconds from the first frame to where one after the last would be."""
    count = len(clip)
    return float(clip.times[-1] - clip.times[0]) * count / (count - 1) if count > 1 else 0.0


def _unit_row(vector: Tensor) -> NDArray[np.float32]:
    return functional.normalize(vector[None], dim=-1).numpy()
