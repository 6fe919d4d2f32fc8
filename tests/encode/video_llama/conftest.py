"""The golden set of a tiny Video-LLaMA, and models made of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file

from moviola.encode.video_llama.config import VideoLlamaConfig
from moviola.encode.video_llama.model import VideoLlama

STEMS = (
    "eva_vit_g",
    "blip2_pretrained_flant5xxl",
    "vl_branch",
    "al_branch",
    "imagebind_huge_audio_only",
    "llama",
)


class Golden:
    """Inputs, weights and outputs of the original implementation."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.facts = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self.config = VideoLlamaConfig.from_json(folder / "config.json")
        self.tensors = load_file(folder / "tensors.safetensors")
        self.sources = {stem: folder / "sources" / f"{stem}.safetensors" for stem in STEMS}

    def __getitem__(self, name):
        return self.tensors[name]


@pytest.fixture(scope="session")
def golden(shared_data) -> Golden:
    return Golden(shared_data / "videollama_golden")


@pytest.fixture(scope="session")
def golden_model(golden) -> VideoLlama:
    return VideoLlama.from_original(golden.config, golden.sources)


@pytest.fixture(scope="session")
def tiny_config() -> VideoLlamaConfig:
    """Sizes of no golden set: nothing may depend on those."""
    from moviola.encode.video_llama.config import (
        AudioConfig,
        AudioTrunkConfig,
        QFormerConfig,
        VisionConfig,
    )

    narrow = {"hidden_size": 24, "num_attention_heads": 3, "intermediate_size": 40}
    return VideoLlamaConfig(
        llama={
            "vocab_size": 60,
            "hidden_size": 40,
            "intermediate_size": 56,
            "num_hidden_layers": 4,
            "num_attention_heads": 5,
            "max_position_embeddings": 256,
        },
        vision=VisionConfig(28, 14, 32, 48, 2, 4),
        image_qformer=QFormerConfig(5, 3, 2, 32, **narrow),
        video_qformer=QFormerConfig(7, 2, 1, 24, **narrow),
        max_frames=6,
        frames=4,
        audio=AudioConfig(
            trunk=AudioTrunkConfig(embed_dim=32, num_blocks=2, num_heads=4, out_embed_dim=20),
            qformer=QFormerConfig(3, 2, 1, 20, **narrow),
            max_positions=8,
        ),
    )
