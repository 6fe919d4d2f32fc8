"""Video-LLaMA (Zhang et al., arXiv 2306.02858) on the parts of transformers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

import torch
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from moviola.core.errors import WeightsUnavailableError
from moviola.encode.decoder.inputs import DecoderInputs, Piece, assemble
from moviola.encode.video_llama.config import VideoLlamaConfig
from moviola.encode.video_llama.llama import load_llama
from moviola.encode.video_llama.sound.branch import AudioBranch
from moviola.encode.video_llama.stages import (
    audio_stages,
    prompt_stages,
    text_stages,
    video_stages,
)
from moviola.encode.video_llama.vision.branch import VisualBranch
from moviola.encode.video_llama.weights.keys import renamed
from moviola.encode.video_llama.weights.loading import fill, parts_of, read_part

_NEEDS = {
    "visual": "eva_vit_g, blip2_pretrained_flant5xxl and vl_branch",
    "audio": "imagebind_huge and al_branch",
    "llama": "llama",
}


class VideoLlama(nn.Module):
    """The frozen model: any of its parts may be left out, and then costs nothing.

    Attributes:
        config: its sizes.
        visual: frames to vectors (B, queries, H), or None.
        audio: sound to vectors (B, queries, H), or None.
        llama: the language model, or None.
    """

    def __init__(
        self,
        config: VideoLlamaConfig,
        *,
        visual: VisualBranch | None = None,
        audio: AudioBranch | None = None,
        llama: LlamaForCausalLM | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        self.visual, self.audio, self.llama = visual, audio, llama
        self.eval().requires_grad_(requires_grad=False)

    @classmethod
    def random(cls, config: VideoLlamaConfig, parts: Sequence[str] = tuple(_NEEDS)) -> Self:
        """Make a model of these sizes with random weights: for tests and timings."""
        audio = config.audio
        return cls(
            config,
            visual=VisualBranch(config) if "visual" in parts else None,
            audio=AudioBranch(audio, config.hidden_size) if "audio" in parts and audio else None,
            llama=LlamaForCausalLM(LlamaConfig(**config.llama)) if "llama" in parts else None,
        )

    @classmethod
    def from_original(
        cls,
        config: VideoLlamaConfig,
        sources: Mapping[str, Path | str],
        *,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
        device_map: str | Mapping[str, Any] | None = None,
        eight_bit: bool = False,
        sha256: Mapping[str, str] | None = None,
    ) -> Self:
        """Load the model whose weights lie in the original's files.

        Args:
            config: its sizes.
            sources: name of a file without its ending → where it lies, as `.safetensors`, `.pth`
                or (for `llama` and `blip2_flan_t5_xxl`) a folder of safetensors. Vision is made
                of `eva_vit_g`, `blip2_pretrained_flant5xxl` and `vl_branch`, or of
                `blip2_flan_t5_xxl` (transformers' names) and `vl_branch`; sound of
                `imagebind_huge` and `al_branch`; the language model of `llama`. `weights` is the
                whole model's state dict. What is not given is not made.
            dtype: of the vision transformer and the LLaMA; Q-Formers and sound stay in float32.
            device: where they go.
            device_map: where the layers of a `llama` folder go instead, as in accelerate.
            eight_bit: that one in 8 bits a weight (needs a GPU and bitsandbytes).
            sha256: digests in hexadecimal that `.pth` files must have, by the names of `sources`.

        Raises:
            ValueError: a name is unknown, or a part lacks a file.
            WeightsUnavailableError: a file cannot be read, or does not fit: a tensor is missing,
                unknown, or has another shape.
        """
        paths = {name: Path(path) for name, path in sources.items()}
        parts = parts_of(paths)
        if config.audio is None:
            parts.discard("audio")
        llama = None
        if "llama" in parts and (paths.get("llama", Path()) / "config.json").is_file():
            parts.discard("llama")
            llama = load_llama(
                paths["llama"], dtype=dtype, device_map=device_map, eight_bit=eight_bit
            )
            _require_width(llama, config)
        with torch.device("meta"):
            model = cls.random(config, sorted(parts))
        for name in sorted(parts):
            layers = config.vision.num_hidden_layers
            state = read_part(name, paths, vision_layers=layers, dtype=dtype, sha256=sha256 or {})
            fill(getattr(model, name), state, origin=name)
        if model.llama is not None:
            # Its frequencies are computed, not stored.
            model.llama.model.rotary_emb = LlamaRotaryEmbedding(model.llama.config)
        model.to(device)
        if llama is not None:
            if device_map is None and not eight_bit:
                nn.Module.to(llama, device)
            model.llama = llama.eval().requires_grad_(requires_grad=False)
        return model

    def before_llama(self, video: Tensor) -> Tensor:
        """Map normalised frames (B, 3, T, S, S) to (B, queries, H), the LLaMA's inputs."""
        return self._part("visual")(video)

    def hear(self, mel: Tensor) -> Tensor:
        """Map normalised mel pictures (B, clips, 1, bins, frames) to (B, queries, H)."""
        return self._part("audio")(mel)

    def inputs(
        self, rows: Sequence[Sequence[Piece]], *, padding: Literal["right", "left"] = "right"
    ) -> DecoderInputs:
        """Assemble what the language model reads for `rows` of pieces, padded to one batch.

        Raises:
            ValueError: a row is empty, an id lies outside the vocabulary, or there is no LLaMA.
        """
        return assemble(rows, self._part("llama").get_input_embeddings(), padding=padding)

    @torch.inference_mode()
    def stages(
        self,
        video: Tensor | None = None,
        input_ids: Tensor | Sequence[int] | None = None,
        mel: Tensor | None = None,
        *,
        attention_mask: Tensor | None = None,
        segment_ids: Mapping[str, Sequence[Sequence[int]]] | None = None,
    ) -> dict[str, Tensor]:
        """Compute every intermediate result of what is given, under its published name.

        Args:
            video: normalised frames (B, 3, T, S, S), or of one video without B: see
                `video_stages`. Where there is a LLaMA, also what it makes of the first video, see
                `prompt_stages`.
            input_ids: token ids of texts (B, n), or (n,) of one: see `text_stages`.
            mel: normalised mel pictures (B, clips, 1, bins, frames), or without B: see
                `audio_stages`.
            attention_mask: (B, n), 0 where `input_ids` is padding on the right; none by default.
            segment_ids: for names such as `after_llama`, the token ids before and after the
                video; those of the configuration by default. They belong to the first video,
                since the words around a video tell its frames' times.

        Raises:
            ValueError: a part that is needed was not loaded.
        """
        stages: dict[str, Tensor] = {}
        if video is not None:
            stages |= video_stages(self._part("visual"), video[None] if video.ndim == 4 else video)
            if self.llama is not None:
                first = stages["before_llama.video_embeddings"][0]
                segments = self.config.segment_ids if segment_ids is None else segment_ids
                stages |= prompt_stages(self.llama, first, segments)
        if input_ids is not None:
            ids = torch.atleast_2d(torch.as_tensor(input_ids))
            mask = torch.ones_like(ids) if attention_mask is None else attention_mask
            stages |= text_stages(self._part("llama"), ids, torch.atleast_2d(mask))
        if mel is not None:
            stages |= audio_stages(self._part("audio"), mel[None] if mel.ndim == 4 else mel)
        return stages

    def original_module(self, name: str) -> nn.Module:
        """Return the module that the original calls `name`, such as `ln_vision`.

        Raises:
            AttributeError: there is none.
        """
        return self.get_submodule(renamed(f"{name}.").removesuffix("."))

    def _part(self, name: str) -> Any:
        part = getattr(self, name)
        if part is None:
            raise ValueError(f"this model was made without {name}: it needs {_NEEDS[name]}")
        return part


def _require_width(llama: LlamaForCausalLM, config: VideoLlamaConfig) -> None:
    width = llama.config.hidden_size
    if width != config.hidden_size:
        raise WeightsUnavailableError(
            f"this language model has vectors of {width}, the branches make ones of "
            f"{config.hidden_size}: it is not the one that they were trained with"
        )
