"""Every number of transformers' own EmbeddingGemma 2 is met, without torchvision."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

import moviola
from moviola.core import Frames
from moviola.encode.embedding_gemma.loading import load
from moviola.encode.runtime.parts import TensorIndex
from moviola.pipeline.encode.encode import encode_videos

pytestmark = pytest.mark.shared

STATES, VECTORS, ALIKE = 2e-4, 2e-5, 1e-5
OPTIONS = {
    "video2_fps2_max5": {"fps": 2, "max_frames": 5},
    "video0_timestamps": {"timestamps": 1},
    "video1_soft140": {"vectors": 140},
}


@pytest.fixture(scope="module")
def folder(shared_data):
    return shared_data / "video_llm_golden" / "embedding_gemma2"


@pytest.fixture(scope="module")
def told(folder):
    return json.loads((folder / "golden.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def tensors(folder):
    return load_file(folder / "tensors.safetensors")


def clip_of(name, case, tensors):
    native = tensors[f"native.{name[:6]}.indices"].tolist()
    stored = tensors[f"native.{name[:6]}.frames"]
    pixels = np.stack([stored[native.index(number)] for number in case["frames_indices"]])
    return Frames(pixels, np.array(case["frames_indices"], np.float64) / case["fps"])


def prompt_of(encoder, name, case, folder, tensors):
    if name.startswith("image"):
        picture = np.array(Image.open(folder / "images" / f"i{name[5]}.png").convert("RGB"))
        return encoder.picture_prompt(picture, query="query" in name)
    if name.startswith("video"):
        text = case["text"].split("<|video|>")[1].strip()
        return encoder.clip_prompts([clip_of(name, case, tensors)], text)[0]
    if name == "audio":
        return encoder.sound_prompt(tensors["audio.waveform_16k"])
    return encoder.prompt(case["text"])


def test_every_number_is_that_of_the_original(folder, told, tensors):
    plain, met = load(str(folder)), 0
    for name, case in told["cases"].items():
        encoder = load(str(folder), **OPTIONS[name]) if name in OPTIONS else plain
        prompt = prompt_of(encoder, name, case, folder, tensors)
        assert np.array_equal(prompt.ids, tensors[f"{name}.input_ids"]), name
        if f"{name}.soft_tokens" in tensors:
            wanted = tensors[f"{name}.soft_tokens"]
            step = 1 if len(wanted) == len(prompt.vectors) else 7
            assert np.abs(prompt.vectors[::step].numpy() - wanted).max() <= STATES, name
        pooled = encoder._network.mean_states([prompt])[0].numpy()
        assert np.abs(pooled - tensors[f"{name}.pooled"]).max() <= STATES, name
        for key, vector in tensors.items():
            if key.startswith(f"{name}.embedding."):
                (row,) = encoder._rows([prompt], len(vector))
                assert np.abs(row[0] - vector).max() <= VECTORS, key
        met += 1
    assert met == len(told["cases"]) == 21


def test_resized_bytes_and_patches_are_those_of_the_original(folder, told, tensors):
    for name, case in told["cases"].items():
        if not name.startswith("video"):
            continue
        prepare = load(str(folder), **OPTIONS.get(name, {}))._frames
        clip = clip_of(name, case, tensors)
        resized = prepare.resize(clip.pixels)
        assert list(resized.shape) == case["resized_shape_TCHW"]
        digest = hashlib.sha256(resized.contiguous().numpy().tobytes()).hexdigest()
        assert digest == case["resized_sha256"], name
        patches = prepare(clip.pixels)
        places = tensors.get(f"{name}.position_ids_xy_first")
        assert places is None or np.array_equal(patches.places[0], places)


def test_sound_is_heard_as_by_the_original(folder, tensors):
    network = load(str(folder))._network
    features, mask = network.mel(tensors["audio.waveform_16k"])
    assert np.abs(features.numpy() - tensors["audio.input_features"]).max() <= 1e-5
    assert np.array_equal(mask, tensors["audio.input_features_mask"])
    heard = network.hear(tensors["audio.waveform_16k"]).numpy()
    assert np.abs(heard - tensors["audio.audio_soft_tokens"]).max() <= STATES


@pytest.mark.parametrize(
    ("options", "cases"),
    [
        ("", ("video0", "video1", "video2", "video3")),
        (",fps=2,max_frames=5,dimension=16", ("video2_fps2_max5",)),
        (",vectors=140", ("video1_soft140",)),
        (",timestamps=1", ("video0_timestamps",)),
    ],
)
def test_files_are_sampled_and_encoded_as_by_the_original(
    folder, tensors, options, cases, tmp_path
):
    encode_videos(
        [folder / "videos" / f"v{name[5]}.mp4" for name in cases],
        out=tmp_path / "out",
        model=f"embeddinggemma-2:{folder}{options}",
        layout="npy",
        dtype="float32",
        precision="float32",
    )
    for name in cases:
        found = np.load(tmp_path / "out" / f"v{name[5]}.npy").ravel()
        assert np.abs(found - tensors[f"{name}.embedding.{len(found)}"]).max() <= VECTORS


def test_texts_and_batches(folder, told, tensors, monkeypatch):
    read = []
    tensor = TensorIndex.tensor

    def note(self, name, rows=None):
        read.append(name)
        return tensor(self, name, rows)

    monkeypatch.setattr(TensorIndex, "tensor", note)
    encoder = moviola.load_encoder(f"embeddinggemma-2:{folder}")
    rows = encoder.encode_texts(told["texts"])
    assert encoder.text_readout.digest
    for number, row in enumerate(rows):
        wanted = tensors[f"text{number}_query.embedding.32"]
        assert np.abs(row[0] - wanted).max() <= VECTORS
        assert np.abs(row - encoder.encode_texts([told["texts"][number]])[0]).max() <= ALIKE
    documents = encoder.encode_documents(told["texts"][:3])
    for number, row in enumerate(documents):
        wanted = tensors[f"text{number}_document.embedding.32"]
        assert np.abs(row[0] - wanted).max() <= VECTORS
    assert read
    assert all(name.startswith("language_model.") for name in read)
    clips = [clip_of(n, told["cases"][n], tensors) for n in ("video0", "video1", "video3")]
    for row, clip in zip(encoder.encode_videos(clips), clips, strict=True):
        assert np.abs(row - encoder.encode_videos([clip])[0]).max() <= ALIKE
