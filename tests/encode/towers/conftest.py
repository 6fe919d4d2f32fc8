"""Tiny random checkpoints of the real architectures, with tokenizers that are real too."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from moviola.core import Frames, FrameSampler, Span, Waveform

WORDS = ["a", "dog", "cat", "red", "square", "moves", "left", "the", "sings", "on", "table"]


@pytest.fixture(scope="session", autouse=True)
def _single_precision() -> Iterator[None]:
    """Everywhere the same numbers: elsewhere a tower may run in bfloat16."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("moviola.encode.precision.bfloat16_is_faster", lambda _: False)
        yield


@pytest.fixture(scope="session")
def words() -> list[str]:
    return WORDS


@pytest.fixture(scope="session")
def make_clips() -> Callable[..., list[Frames]]:
    """Clips of noise, each of another size, as decoders give them."""

    def make(
        sampler: FrameSampler, *, count: int = 3, seconds: float = 2.0, rate: int | None = None
    ) -> list[Frames]:
        rng = np.random.default_rng(7)
        clips = []
        for number in range(count):
            span = Span(float(number), number + seconds)
            times = sampler.times(span)
            shape = (len(times), 40 + 9 * number, 60 - 7 * number, 3)
            pixels = rng.integers(0, 256, shape, np.uint8)
            sound = None
            if rate is not None:
                samples = rng.uniform(-0.5, 0.5, (1, round(seconds * rate))).astype(np.float32)
                sound = Waveform(samples, rate, span.start)
            clips.append(Frames(pixels, times, sound))
        return clips

    return make


@pytest.fixture(scope="session")
def write_json() -> Callable[[Path, object], None]:
    def write(path: Path, content: object) -> None:
        path.write_text(json.dumps(content), encoding="utf-8")

    return write


@pytest.fixture(scope="session")
def videoprism_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A VideoPrism video-text model of two layers each and four frames of 36x36."""
    from transformers import VideoPrismClipModel, VideoPrismConfig
    from transformers.models.videoprism.tokenization_videoprism import VideoPrismTokenizer

    folder = tmp_path_factory.mktemp("videoprism")
    shared = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4}
    config = VideoPrismConfig(
        vision_config={
            **shared,
            "image_size": 36,
            "num_frames": 4,
            "num_spatial_layers": 2,
            "num_temporal_layers": 1,
            "num_auxiliary_layers": 1,
        },
        text_config={
            **shared,
            "vocab_size": 64,
            "num_hidden_layers": 2,
            "max_position_embeddings": 16,
        },
    )
    torch.manual_seed(0)
    model = VideoPrismClipModel(config).eval()
    with torch.no_grad():
        for weights in model.parameters():
            weights.add_(torch.randn_like(weights) * 0.1)
    model.save_pretrained(folder)
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), (".", -2.0), ("▁", -3.0)]
    pieces += [(f"▁{word}", -2.0) for word in WORDS]
    VideoPrismTokenizer(vocab=pieces, extra_ids=0, additional_special_tokens=[]).save_pretrained(
        folder
    )
    return folder
