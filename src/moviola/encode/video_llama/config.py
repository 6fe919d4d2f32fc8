"""The sizes of a Video-LLaMA: read from a file, or those that were published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from moviola.core.json_text import decode_json


@dataclass(frozen=True, slots=True)
class VisionConfig:
    """The EVA vision transformer, and the norm that BLIP-2 puts behind it.

    `layer_norm_eps` belongs to the blocks, `output_norm_eps` to the norm behind the last of them.
    """

    image_size: int = 224
    patch_size: int = 14
    hidden_size: int = 1408
    intermediate_size: int = 6144
    num_hidden_layers: int = 39
    num_attention_heads: int = 16
    layer_norm_eps: float = 1e-6
    output_norm_eps: float = 1e-5

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Self:
        """Read the sizes from the `vision` object of a configuration file."""
        return cls(
            **_pick(given, _VISION_SIZES),
            layer_norm_eps=given.get("block_layer_norm_eps", 1e-6),
            output_norm_eps=given.get("ln_vision_eps", 1e-5),
        )


@dataclass(frozen=True, slots=True)
class QFormerConfig:
    """A Q-Former: a few learned queries that look at an encoder's tokens.

    Every `cross_attention_frequency`-th layer, from the first, looks at tokens of width
    `encoder_hidden_size`.
    """

    num_query_tokens: int
    num_hidden_layers: int
    cross_attention_frequency: int
    encoder_hidden_size: int
    hidden_size: int = 768
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    layer_norm_eps: float = 1e-12

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Self:
        """Read the sizes from a `..._qformer` object of a configuration file."""
        return cls(**_pick(given, cls.__dataclass_fields__))


@dataclass(frozen=True, slots=True)
class AudioTrunkConfig:
    """ImageBind's audio transformer, over pictures of `num_mel_bins` x `target_length`."""

    embed_dim: int = 768
    num_blocks: int = 12
    num_heads: int = 12
    mlp_ratio: float = 4.0
    out_embed_dim: int = 1024
    kernel_size: int = 16
    stride: int = 10
    num_mel_bins: int = 128
    target_length: int = 204
    stem_layer_norm_eps: float = 1e-5
    block_layer_norm_eps: float = 1e-6
    head_layer_norm_eps: float = 1e-6

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Self:
        """Read the sizes from the `audio.imagebind` object of a configuration file."""
        return cls(**_pick(given, cls.__dataclass_fields__))

    @property
    def num_patches(self) -> int:
        """Return the number of tokens of one picture, without the class token."""
        sides = (self.num_mel_bins, self.target_length)
        rows, columns = ((side - self.kernel_size) // self.stride + 1 for side in sides)
        return rows * columns


@dataclass(frozen=True, slots=True)
class AudioConfig:
    """The audio branch: `clips` clips of `clip_seconds` become a few vectors."""

    trunk: AudioTrunkConfig = field(default_factory=AudioTrunkConfig)
    qformer: QFormerConfig = field(default_factory=lambda: QFormerConfig(8, 2, 1, 1024))
    max_positions: int = 8
    clips: int = 8
    clip_seconds: float = 2
    mel_mean: float = -4.268
    mel_std: float = 9.138

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Self:
        """Read the sizes from the `audio` object of a configuration file."""
        return cls(
            trunk=AudioTrunkConfig.from_dict(given["imagebind"]),
            qformer=QFormerConfig.from_dict(given["audio_qformer"]),
            max_positions=given["max_audio_positions"],
            clips=given["clips_per_video"],
            clip_seconds=given["clip_duration_s"],
            mel_mean=given["mel_mean"],
            mel_std=given["mel_std"],
        )


@dataclass(frozen=True, slots=True)
class VideoLlamaConfig:
    """All sizes of a Video-LLaMA. The defaults are the published ones.

    Attributes:
        llama: arguments of transformers' `LlamaConfig`; they come with the language model.
        vision: the frame encoder.
        image_qformer: looks at one frame.
        video_qformer: looks at the frames' queries together.
        max_frames: frames that have a position of their own.
        frames: frames taken of a clip.
        audio: the audio branch, None where there is none.
        segment_ids: token ids before and after the video, by the name of their stages; only
            `VideoLlama.stages` reads them, where it is given none.
    """

    llama: Mapping[str, Any]
    vision: VisionConfig = field(default_factory=VisionConfig)
    image_qformer: QFormerConfig = field(default_factory=lambda: QFormerConfig(32, 12, 2, 1408))
    video_qformer: QFormerConfig = field(default_factory=lambda: QFormerConfig(32, 2, 1, 768))
    max_frames: int = 32
    frames: int = 8
    audio: AudioConfig | None = field(default_factory=AudioConfig)
    segment_ids: Mapping[str, tuple[tuple[int, ...], ...]] = field(default_factory=dict)

    @classmethod
    def from_json(cls, path: Path | str) -> Self:
        """Read the configuration in the JSON file at `path`.

        Raises:
            ValueError: the file is no JSON object, or lacks a size.
            OSError: it cannot be read.
        """
        try:
            given = decode_json(Path(path).read_text(encoding="utf-8"))
            prompts = given.get("prompts", {})
            return cls(
                llama=given["llama"],
                vision=VisionConfig.from_dict(given["vision"]),
                image_qformer=QFormerConfig.from_dict(given["image_qformer"]),
                video_qformer=QFormerConfig.from_dict(given["video_qformer"]),
                max_frames=given["max_frame_pos"],
                frames=given["num_frames"],
                audio=AudioConfig.from_dict(given["audio"]) if "audio" in given else None,
                segment_ids={
                    stage: tuple(tuple(ids) for ids in prompts[key])
                    for stage, key in _SEGMENTS.items()
                    if key in prompts
                },
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(
                f"{path} is no configuration of a Video-LLaMA: {type(error).__name__}: {error}"
            ) from error

    @property
    def hidden_size(self) -> int:
        """Return the length of a vector of the language model."""
        return int(self.llama["hidden_size"])


_VISION_SIZES = (
    "image_size",
    "patch_size",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
)
_SEGMENTS = {
    "after_llama": "vicuna_segment_ids",
    "after_llama_llama2prompt": "llama2_segment_ids",
}

#: LLaMA-7B. A vocabulary of 32,001 rows is Vicuna's; whoever loads a checkpoint takes its own.
LLAMA_7B: Mapping[str, Any] = {
    "vocab_size": 32000,
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "rms_norm_eps": 1e-6,
    "max_position_embeddings": 2048,
}


def _pick(given: Mapping[str, Any], names: Any) -> dict[str, Any]:
    """Pick the entries of `given` that are called `names`; a missing one keeps its default."""
    return {name: given[name] for name in names if name in given}
