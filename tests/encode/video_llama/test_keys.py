from __future__ import annotations

import json

import pytest
import torch

from moviola.encode.video_llama.config import LLAMA_7B, VideoLlamaConfig
from moviola.encode.video_llama.model import VideoLlama
from moviola.encode.video_llama.weights.keys import is_ignored, renamed

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def full_keys(shared_data):
    said = json.loads((shared_data / "videollama_keys_full.json").read_text(encoding="utf-8"))
    return {name: entry for part in said["components"].values() for name, entry in part.items()}


@pytest.fixture(scope="module")
def full_model():
    with torch.device("meta"):
        return VideoLlama.random(VideoLlamaConfig(llama=LLAMA_7B))


def test_every_key_of_the_full_model_is_mapped_or_ignored(full_keys, full_model):
    ours = {name: tuple(tensor.shape) for name, tensor in full_model.state_dict().items()}
    vision_layers = full_model.config.vision.num_hidden_layers
    reached = set()
    for name, entry in full_keys.items():
        if is_ignored(name, "weights", vision_layers=vision_layers):
            assert entry["kind"] == "buffer" or ".modality_" in name, name
            continue
        shape = tuple(entry["shape"])
        if name.endswith(("q_bias", "v_bias")):
            # Both, and zeros for the keys, are one bias of three times the width.
            shape = (3 * shape[0],)
        mapped = renamed(name).replace(".q_bias", ".qkv.bias").replace(".v_bias", ".qkv.bias")
        assert ours[mapped] == shape, name
        reached.add(mapped)
    assert reached == ours.keys()


def test_the_published_sizes_have_the_published_number_of_weights(full_model):
    # The zero biases of the keys are stored here, and left out there.
    zeros = full_model.config.vision.num_hidden_layers * full_model.config.vision.hidden_size
    counts = {
        "visual": 985_894_528 + 2_816 + 105_162_240 + 18_954_240 + 3_149_824 + zeros,
        "audio": 86_235_648 + 19_705_856 + 3_149_824,
        "llama": 6_738_415_616,
    }
    for name, count in counts.items():
        assert sum(p.numel() for p in getattr(full_model, name).parameters()) == count, name
