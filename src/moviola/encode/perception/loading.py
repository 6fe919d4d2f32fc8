"""Checkpoints of PE-AV, with our vision tower in place of timm's."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

from transformers import (
    PeAudioVideoConfig,
    PeAudioVideoEncoderConfig,
    PeAudioVideoModel,
    PeVideoConfig,
    PeVideoEncoderConfig,
    PeVideoModel,
)

from moviola.encode.perception.vision import PeVisionConfig
from moviola.encode.runtime.config_files import read_config
from moviola.encode.runtime.loading import load_strictly


def load_model(folder: Path) -> PeAudioVideoModel | PeVideoModel:
    """Load the model of a checkpoint, in float32.

    Raises:
        WeightsUnavailableError: when the folder does not hold one.
        ValueError: when its vision tower is not the one that is known here.
    """
    config = read_config(folder / "config.json")
    # transformers prints complaints about its own documentation while it makes this model.
    with contextlib.redirect_stdout(io.StringIO()):
        if config.get("model_type") == "pe_video":
            return load_strictly(PeVideoModel, folder, config=_video_config(config))
        return load_strictly(PeAudioVideoModel, folder, config=_audio_video_config(config))


def _video_config(config: dict[str, Any]) -> PeVideoConfig:
    return PeVideoConfig(**{**config, "video_config": _encoder_config(config["video_config"])})


def _audio_video_config(config: dict[str, Any]) -> PeAudioVideoConfig:
    both = dict(config["audio_video_config"])
    both["video_config"] = _encoder_config(both["video_config"])
    return PeAudioVideoConfig(**{**config, "audio_video_config": PeAudioVideoEncoderConfig(**both)})


def _encoder_config(config: dict[str, Any]) -> PeVideoEncoderConfig:
    """Put our vision tower in place of the one that transformers takes from timm."""
    vision = PeVisionConfig.from_timm(config.get("vision_config") or {})
    return PeVideoEncoderConfig(**{**config, "vision_config": vision})
