from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from transformers import AutoTokenizer, PeAudioFeatureExtractor

import moviola
from moviola.core import (
    Frames,
    RateSampler,
    SoundSpec,
    SpaceMismatchError,
    UniformSampler,
    Waveform,
)
from moviola.encode.perception.encoder import Hearing, load
from moviola.encode.perception.loading import load_model
from moviola.encode.perception.vision import PeVisionConfig, PeVisionTower
from moviola.testing import check_encoder

TEXTS = ["a dog on the table", "cat", "the red square moves left the cat sings"]


@pytest.fixture(scope="module")
def seeing(pe_av_folder):
    return load(str(pe_av_folder))


@pytest.fixture(scope="module")
def hearing(pe_av_folder):
    return load(str(pe_av_folder), sound=1)


@pytest.fixture(scope="module")
def reference(pe_av_folder):
    model = load_model(pe_av_folder)
    model.text_model.config.tie_last_hidden_states = False
    return model


def pixel_values(clip):
    frames = torch.from_numpy(clip.pixels).permute(0, 3, 1, 2)
    small = torch.nn.functional.interpolate(frames, (28, 28), mode="bilinear", antialias=True)
    return (small.float()[None] / 255 - 0.5) / 0.5


def unit(vectors):
    return torch.nn.functional.normalize(vectors, dim=-1).numpy()


def test_the_kit(seeing, hearing):
    check_encoder(seeing, tolerance=1e-5)
    check_encoder(hearing, tolerance=1e-5)


@pytest.fixture(scope="module")
def forwarded(reference, pe_av_folder):
    """transformers' own call for one text and one clip."""

    def forward(text, clip):
        words = AutoTokenizer.from_pretrained(pe_av_folder)([text], return_tensors="pt")
        extract = PeAudioFeatureExtractor(sampling_rate=800, hop_length=8)
        heard = extract(clip.sound.samples[0], sampling_rate=800, return_tensors="pt")
        with torch.inference_mode():
            return reference(
                input_ids=words["input_ids"],
                attention_mask=words["attention_mask"],
                pixel_values_videos=pixel_values(clip),
                input_values=heard["input_values"],
            )

    return forward


@pytest.mark.parametrize("size", [1, 3])
def test_all_towers_are_those_of_transformers(seeing, hearing, forwarded, make_clips, size):
    clips = make_clips(seeing.sampler, rate=800)
    # One that is longer, and one that is no whole number of tokens.
    longer = np.concatenate([clips[1].sound.samples, clips[2].sound.samples], axis=1)[:, :2003]
    clips[1] = replace(clips[1], sound=replace(clips[1].sound, samples=longer))
    rows = {"seen": [], "both": [], "text seen": [], "text both": []}
    for at in range(0, 3, size):
        rows["seen"] += seeing.encode_videos(clips[at : at + size])
        rows["both"] += hearing.encode_videos(clips[at : at + size])
        rows["text seen"] += seeing.encode_texts(TEXTS[at : at + size])
        rows["text both"] += hearing.encode_texts(TEXTS[at : at + size])
    for number, (text, clip) in enumerate(zip(TEXTS, clips, strict=True)):
        found = forwarded(text, clip)
        wanted = {
            "seen": found.video_embeds,
            "both": found.audio_video_embeds,
            "text seen": found.text_video_embeds,
            "text both": found.text_audio_video_embeds,
        }
        for name, vectors in wanted.items():
            assert np.abs(rows[name][number] - unit(vectors)).max() < 1e-5, (name, number)


def test_video_alone_is_that_of_transformers(pe_video_folder, make_clips):
    encoder, reference = load(str(pe_video_folder)), load_model(pe_video_folder)
    reference.text_model.config.tie_last_hidden_states = False
    clips = make_clips(encoder.sampler)
    words = AutoTokenizer.from_pretrained(pe_video_folder)(TEXTS, padding=True, return_tensors="pt")
    with torch.inference_mode():
        found = reference(
            input_ids=words["input_ids"],
            attention_mask=words["attention_mask"],
            pixel_values_videos=torch.cat([pixel_values(clip) for clip in clips]),
        )
    assert (
        np.abs(np.concatenate(encoder.encode_videos(clips)) - unit(found.video_embeds)).max() < 1e-5
    )
    assert (
        np.abs(np.concatenate(encoder.encode_texts(TEXTS)) - unit(found.text_video_embeds)).max()
        < 1e-5
    )
    with pytest.raises(ValueError, match="video alone"):
        load(str(pe_video_folder), sound=1)


def test_texts_are_read_before_the_final_norm(seeing, reference, pe_av_folder):
    # As they were when the heads were trained; after it, the vector is another.
    words = AutoTokenizer.from_pretrained(pe_av_folder)(TEXTS[:1], return_tensors="pt")
    kept = []
    last = reference.text_model.layers[-1]
    hook = last.register_forward_hook(
        lambda *call: kept.append(call[2][0] if isinstance(call[2], tuple) else call[2])
    )
    with torch.inference_mode():
        after = reference.text_model(**words).last_hidden_state[:, 0]
        head = reference.video_model.text_video_head
        before, after = unit(head(kept[0][:, 0])), unit(head(after))
    hook.remove()
    (row,) = seeing.encode_texts(TEXTS[:1])
    assert np.abs(row - before).max() < 1e-5
    assert np.abs(row - after).max() > 1e-2


def test_with_and_without_sound_are_two_spaces(seeing, hearing):
    assert seeing.space != hearing.space
    assert seeing.sound is None
    assert hearing.sound == SoundSpec(800, 1)
    assert hearing.sound.spec in hearing.video_readout.sampling
    assert seeing.video_readout != hearing.video_readout


def test_sound_counts(hearing, make_clips):
    clip, other, _ = make_clips(hearing.sampler, rate=800)
    loud, quiet = hearing.encode_videos([clip, replace(clip, sound=other.sound)])
    assert np.abs(loud - quiet).max() > 1e-3


def test_a_clip_without_sound_is_silent(hearing, make_clips):
    (clip, *_) = make_clips(hearing.sampler, rate=800)
    silence = Waveform(np.zeros((1, 1600), np.float32), 800, 0.0)
    nothing = Waveform(np.zeros((1, 0), np.float32), 800, 0.0)
    wanted, *found = hearing.encode_videos(
        [replace(clip, sound=each) for each in (silence, nothing, None)]
    )
    for row in found:
        assert np.abs(row - wanted).max() < 1e-6


@pytest.mark.parametrize("count", [1, 3, 7, 8, 9, 800])
def test_sound_is_mirrored_as_transformers_does(count):
    samples = np.random.default_rng(0).uniform(-1, 1, count).astype(np.float32)
    clip = Frames(np.zeros((1, 4, 4, 3), np.uint8), np.zeros(1), Waveform(samples[None], 800, 0.0))
    extract = PeAudioFeatureExtractor(sampling_rate=800, hop_length=8)
    wanted = extract(samples, sampling_rate=800, return_tensors="np")["input_values"][0, 0]
    assert np.array_equal(Hearing(800, 8).prepare(clip), wanted)


def test_frames_are_as_many_as_the_checkpoint_says(pe_av_folder, tmp_path):
    assert load(str(pe_av_folder)).sampler == UniformSampler(4)
    assert load(str(pe_av_folder), frames=6).sampler == UniformSampler(6)
    for file in pe_av_folder.iterdir():
        if file.name != "video_preprocessor_config.json":
            (tmp_path / file.name).symlink_to(file)
    settings = (pe_av_folder / "video_preprocessor_config.json").read_text()
    (tmp_path / "video_preprocessor_config.json").write_text(
        settings.replace('"num_frames": 4', '"num_frames": null')
    )
    assert load(str(tmp_path)).sampler == RateSampler(2.0, 64)


def test_the_vision_tower_is_that_of_timm(pe_timm_config):
    """Weights, pixels and vectors that timm 1.0.31 made."""
    with safe_open(Path(__file__).parent / "pe_vision.safetensors", "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    tower = PeVisionTower(PeVisionConfig.from_timm(pe_timm_config)).eval()
    weights = {
        name.removeprefix("weights."): value
        for name, value in tensors.items()
        if name.startswith("weights.")
    }
    tower.timm_model.load_state_dict(weights, strict=True)
    with torch.inference_mode():
        found = tower(tensors["pixels"]).logits
    assert (found - tensors["vectors"]).abs().max() < 1e-5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"architecture": "vit_base_patch16_224"}, "vit_base_patch16_224"),
        ({"model_args": {"qk_norm": True}}, "qk_norm"),
    ],
)
def test_another_vision_tower_is_refused(pe_timm_config, change, message):
    with pytest.raises(ValueError, match=message):
        PeVisionConfig.from_timm({**pe_timm_config, **change})


def test_sizes_of_the_published_tower():
    config = PeVisionConfig.from_timm({"architecture": "vit_pe_core_large_patch14_336"})
    assert (config.image, config.width, config.depth, config.labels) == (336, 1024, 24, 1024)
    assert (config.reference, config.pool_heads) == (24, 8)


def test_a_library_of_silent_vectors_refuses_those_with_sound(pe_av_folder, colour_video, tmp_path):
    (tmp_path / "videos").mkdir()
    colour_video(tmp_path / "videos" / "red.mp4", (220, 20, 20))
    name, library = f"pe-av:{pe_av_folder}", tmp_path / "library"
    assert moviola.index([tmp_path / "videos"], library=library, model=name).ok == 1
    with pytest.raises(SpaceMismatchError, match="with sound"):
        moviola.index([tmp_path / "videos"], library=library, model=f"{name},sound=1")
    with pytest.raises(SpaceMismatchError, match="sampling"):
        moviola.index([tmp_path / "videos"], library=library, model=f"{name},frames=6")
