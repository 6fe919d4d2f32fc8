from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer, VideoPrismClipModel
from typer.testing import CliRunner

from moviola.cli.app import app
from moviola.core import Frames, UniformSampler, WeightsNotFoundError, WeightsUnavailableError
from moviola.encode.runtime.hub import Checkpoint
from moviola.encode.videoprism.encoder import canonical, load
from moviola.plugins import load_encoder, settled_name
from moviola.testing import check_encoder

MIRROR = "MHRDYN7/videoprism-lvt-base-f16r288"


@pytest.fixture(scope="module")
def encoder(videoprism_folder):
    return load(str(videoprism_folder))


@pytest.fixture(scope="module")
def reference(videoprism_folder):
    return VideoPrismClipModel.from_pretrained(videoprism_folder).eval()


def pixel_values(clip):
    """The recipe step by step, one frame at a time: squash to 36x36, values in [0, 1]."""
    frames = torch.from_numpy(clip.pixels).permute(0, 3, 1, 2)
    small = [
        torch.nn.functional.interpolate(frame[None], (36, 36), mode="bicubic", antialias=True)
        for frame in frames
    ]
    return torch.cat(small).float()[None] / 255


def test_the_kit(encoder):
    check_encoder(encoder, tolerance=1e-5)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_videos_are_those_of_transformers(encoder, reference, make_clips, size):
    clips = make_clips(encoder.sampler)
    rows = [row for at in range(0, 3, size) for row in encoder.encode_videos(clips[at : at + size])]
    for clip, row in zip(clips, rows, strict=True):
        with torch.inference_mode():
            wanted = reference.get_video_features(pixel_values(clip)).pooler_output[:, 0]
        assert np.abs(row - wanted.numpy()).max() < 1e-5


@pytest.mark.parametrize("size", [1, 3])
def test_texts_are_those_of_transformers(encoder, reference, videoprism_folder, size):
    texts = ["A dog, on the table!", "cat", "the red square moves left " * 5]
    said = ["a dog on the table.", "cat.", ("the red square moves left " * 5)[:-1] + "."]
    tokenizer = AutoTokenizer.from_pretrained(videoprism_folder)
    rows = [row for at in range(0, 3, size) for row in encoder.encode_texts(texts[at : at + size])]
    for text, row in zip(said, rows, strict=True):
        words = tokenizer(
            [text], padding="max_length", truncation=True, max_length=16, return_tensors="pt"
        )
        with torch.inference_mode():
            wanted = reference.get_text_features(
                input_ids=words["input_ids"], attention_mask=words["attention_mask"]
            ).pooler_output
        assert np.abs(row - wanted.numpy()).max() < 1e-5


def test_scores_are_those_of_forward(encoder, reference, videoprism_folder, make_clips):
    clips, text = make_clips(encoder.sampler), "a red square."
    words = AutoTokenizer.from_pretrained(videoprism_folder)(
        [text], padding="max_length", max_length=16, return_tensors="pt"
    )
    with torch.inference_mode():
        found = reference(
            torch.cat([pixel_values(clip) for clip in clips]),
            words["input_ids"],
            words["attention_mask"],
        )
    videos = np.concatenate(encoder.encode_videos(clips))
    scores = np.exp(videos @ encoder.encode_texts([text])[0].T)
    assert np.abs(scores / scores.sum() - found.logits_per_video.numpy()).max() < 1e-5


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Hello, World!", "hello world."),
        ("Hello,World..", "hello world."),
        ("  Hello   WORLD", "hello world."),
        ("", "."),
        ("Überall: 3-2-1", "überall 3 2 1."),
    ],
)
def test_texts_are_made_canonical(text, wanted):
    assert canonical(text) == wanted


def test_another_number_of_frames_interpolates_time(videoprism_folder, reference, make_clips):
    encoder = load(str(videoprism_folder), frames=6)
    assert encoder.sampler == UniformSampler(6)
    assert encoder.video_readout.sampling == "uniform:6"
    (clip, *_) = make_clips(encoder.sampler)
    with torch.inference_mode():
        wanted = reference.get_video_features(
            pixel_values(clip), interpolate_pos_encoding=True
        ).pooler_output[:, 0]
    assert np.abs(encoder.encode_videos([clip])[0] - wanted.numpy()).max() < 1e-5


def test_a_clip_of_another_number_of_frames_is_refused(encoder):
    clip = Frames(np.zeros((3, 36, 36, 3), np.uint8), np.arange(3.0))
    with pytest.raises(ValueError, match="3 frames"):
        encoder.encode_videos([clip])


def test_the_order_of_frames_counts(encoder, make_clips):
    (clip, *_) = make_clips(encoder.sampler)
    turned = Frames(clip.pixels[::-1].copy(), clip.times)
    forth, back = encoder.encode_videos([clip, turned])
    assert np.abs(forth - back).max() > 1e-3


def test_the_space_is_that_of_the_weights(encoder, videoprism_folder):
    again = load(str(videoprism_folder))
    assert again.space == encoder.space
    assert encoder.space.dimension == 32
    assert (encoder.space.revision, len(encoder.space.weights)) == ("local", 32)


def test_a_folder_without_weights(tmp_path):
    with pytest.raises(WeightsUnavailableError, match="holds no weights"):
        load(str(tmp_path))


def test_places_of_tokens_may_be_left_out_of_a_checkpoint(videoprism_folder, encoder, tmp_path):
    for file in videoprism_folder.iterdir():
        if file.suffix == ".json":
            shutil.copyfile(file, tmp_path / file.name)
    tensors = load_file(videoprism_folder / "model.safetensors")
    computed = {f"text_model.embeddings.position_{word}" for word in ("embedding", "ids")}
    assert computed <= tensors.keys()
    learned = {name: value for name, value in tensors.items() if name not in computed}
    save_file(learned, tmp_path / "model.safetensors", metadata={"format": "pt"})
    (row,), (wanted,) = (
        each.encode_texts(["a red dog"]) for each in (load(str(tmp_path)), encoder)
    )
    assert np.abs(row - wanted).max() < 1e-6


def test_bytes_that_are_no_text(encoder):
    assert encoder.encode_texts(["dog \udcff"])[0].shape == (1, 32)


@pytest.fixture
def mirrored(tmp_path, monkeypatch, videoprism_folder):
    """A cache without a network that holds the default's second source alone."""
    cache, commit = tmp_path / "cache", "3" * 40
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    place = cache / f"models--{MIRROR.replace('/', '--')}"
    shutil.copytree(videoprism_folder, place / "snapshots" / commit)
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text(commit)
    return commit


def test_the_second_source_is_taken_where_the_first_is_gone(mirrored, caplog):
    encoder = load_encoder("videoprism-base,frames=6")
    assert (encoder.space.model, encoder.space.revision) == (MIRROR, mirrored)
    assert encoder.sampler == UniformSampler(6)
    assert f"come from {MIRROR} at {mirrored}" in caplog.text
    assert "another space" in caplog.text
    # A library made with it asks for it by its own name from then on.
    settled = settled_name("videoprism-base,frames=6", encoder.space.revision)
    assert settled == f"videoprism:{MIRROR}@{mirrored},frames=6"
    assert load_encoder(settled).space == encoder.space


def test_where_neither_source_gives_it_the_first_is_named(mirrored):
    with pytest.raises(WeightsNotFoundError, match="videoprism-lvt-large"):
        load_encoder("videoprism-large")
    with pytest.raises(WeightsNotFoundError, match="google/videoprism-lvt-base"):
        load_encoder("videoprism-base@main")  # who names a revision means that one


def test_pulling_says_which_source_it_was(monkeypatch):
    asked = []

    def fetch(model, patterns, revision, *, refresh):
        asked.append((model, revision))
        if model.startswith("google/"):
            raise WeightsNotFoundError("gone")
        return Checkpoint(model, "4" * 40, Path(model))

    monkeypatch.setattr("moviola.encode.runtime.hub.fetch", fetch)
    done = CliRunner().invoke(app, ["models", "pull", "videoprism-base"])
    assert done.exit_code == 0, done.output
    assert [model for model, _ in asked] == ["google/videoprism-lvt-base-f16r288", MIRROR]
    assert f"this is {MIRROR} instead, whose vectors are of another space" in done.stderr
    assert f"{MIRROR} at {'4' * 40}" in done.stdout
