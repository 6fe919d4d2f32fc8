"""Texts of chat models go through the language model alone, and read nothing else."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import moviola
from fixtures.gemma import save_gemma
from fixtures.qwen3_vl import save_qwen3_vl
from moviola.core import Frames, WeightsUnavailableError
from moviola.encode.runtime import reduced_precision
from moviola.encode.runtime.parts import TensorIndex

TEXTS = ["a red square", "", "moves left"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("chat")
    save_qwen3_vl(place, end=False)
    return place


@pytest.fixture
def reads(monkeypatch):
    """The names and bytes of all tensors that are read."""
    found = {}
    read = TensorIndex.tensor

    def note(self, name, rows=None):
        tensor = read(self, name, rows)
        found[name] = tensor.nbytes
        return tensor

    monkeypatch.setattr(TensorIndex, "tensor", note)
    return found


def clip(seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (4, 24, 32, 3), np.uint8)
    return Frames(pixels, np.arange(4) / 2)


def changed(folder, place, part):
    """A copy of the checkpoint in which one tensor of a part is another."""
    shutil.copytree(folder, place)
    tensors = load_file(place / "model.safetensors")
    name = next(name for name in sorted(tensors) if part in name and tensors[name].ndim > 1)
    tensors[name] = tensors[name] + 1
    save_file(tensors, place / "model.safetensors", metadata={"format": "pt"})
    return place


def test_texts_read_the_language_model_and_no_more(folder, reads):
    encoder = moviola.load_encoder(f"qwen3-vl:{folder}")
    encoder.encode_texts(TEXTS)
    assert encoder.space.digest
    assert encoder.video_readout.digest
    assert reads
    assert all(name.startswith("model.language_model.") for name in reads)
    whole = {name: each.nbytes for name, each in load_file(folder / "model.safetensors").items()}
    wanted = sum(size for name, size in whole.items() if "language_model" in name)
    assert sum(reads.values()) == wanted < sum(whole.values())
    encoder.encode_videos([clip()])
    assert [name for name in reads if "visual" in name]
    assert not [name for name in reads if "lm_head" in name]


@pytest.mark.shared
def test_golden_checkpoints_of_every_family_read_no_more(chat_golden, reads):
    encoder = chat_golden.load()
    encoder.encode_texts(chat_golden.texts[:2])
    towers = ("visual", "vision", "projector", "lm_head")
    assert reads
    assert not [name for name in reads if any(tower in name for tower in towers)]


def test_texts_are_encoded_where_the_vision_tower_is_damaged(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "spoiled")
    tensors = load_file(folder / "model.safetensors")
    spoiled = {n: torch.full_like(t, torch.nan) if "visual" in n else t for n, t in tensors.items()}
    save_file(spoiled, tmp_path / "spoiled" / "model.safetensors", metadata={"format": "pt"})
    rows = [moviola.load_encoder(f"qwen3-vl:{place}").encode_texts(TEXTS)
            for place in (folder, tmp_path / "spoiled")]  # fmt: skip
    assert np.array_equal(*rows)


@pytest.mark.parametrize("family", ["qwen3-vl", "qwen3-vl-embedding"])
@pytest.mark.parametrize("part", ["visual", "language_model"])
def test_another_weight_of_any_part_is_another_space(folder, tmp_path, family, part, reads):
    other = changed(folder, tmp_path / folder.name, part)
    spaces = [moviola.load_encoder(f"{family}:{place}").space for place in (folder, other)]
    assert spaces[0].model == spaces[1].model
    assert spaces[0].weights != spaces[1].weights
    assert not [name for name in reads if "visual" in name]


@pytest.mark.parametrize("change", ["missing", "unexpected", "of another shape"])
def test_weights_that_do_not_fit_are_refused(folder, tmp_path, change):
    shutil.copytree(folder, tmp_path / "wrong")
    tensors = load_file(folder / "model.safetensors")
    name = "model.language_model.layers.1.mlp.up_proj.weight"
    own = tensors[name]
    kept = {
        "missing": {},
        "unexpected": {name: own, "model.ears.weight": own.clone()},
        "of another shape": {name: own[1:].clone()},
    }
    rest = {each: value for each, value in tensors.items() if each != name}
    save_file(
        rest | kept[change], tmp_path / "wrong" / "model.safetensors", metadata={"format": "pt"}
    )
    with pytest.raises(WeightsUnavailableError, match=change):
        moviola.load_encoder(f"qwen3-vl:{tmp_path / 'wrong'}")


@pytest.mark.parametrize("family", ["qwen3-vl", "qwen3-vl-embedding", "embeddinggemma-2"])
def test_texts_in_bfloat16_are_measured_once_and_nearly_those_in_float32(
    folder, tmp_path, family, monkeypatch
):
    monkeypatch.setattr(reduced_precision, "cache_path", lambda: tmp_path / "cache")
    place = folder
    if family == "embeddinggemma-2":
        place = tmp_path / "gemma"
        save_gemma(place)
    texts = ["a red square moves left", "a square", "moves", "red 1 2", ""]
    encoders = [
        moviola.load_encoder(f"{family}:{place}", precision=precision)
        for precision in ("float32", "bfloat16")
    ]
    assert [encoder.precision("texts") for encoder in encoders] == ["float32", "bfloat16"]
    rows = [np.concatenate(encoder.encode_texts(texts)) for encoder in encoders]
    assert (rows[0] * rows[1]).sum(1).min() >= 0.999
    (record,) = (tmp_path / "cache" / "precision").iterdir()
    assert 0.999 <= json.loads(record.read_text())["cosine"] < 1
