from __future__ import annotations

import pytest
import torch

from moviola.encode.decoder.inputs import Kind, Piece
from moviola.encode.decoder.prompts import caption_pieces, prompt_row
from moviola.encode.decoder.readouts import INPUT
from moviola.encode.video_llama.model import VideoLlama
from moviola.encode.video_llama.prompts import (
    IMAGE,
    LLAMA2_SYSTEM,
    STILL_MARKS,
    VIDEO_MARKS,
    frames_message,
    llama2_prompt,
    sound_and_video_message,
    vicuna_prompt,
)
from moviola.encode.video_llama.sound.mel import mel_picture
from moviola.encode.video_llama.sound.mel_clips import clip_slices, mel_pictures
from moviola.encode.video_llama.sound.resampling import resample
from moviola.encode.video_llama.tokens import load_tokenizer
from moviola.encode.video_llama.vision.frames import frame_indices, pixel_values

pytestmark = pytest.mark.shared

CLOSE, MEL = 2e-5, 1e-3
# What goes in, and what other tests compare.
NO_STAGES = ("input.", "preprocess.", "eps_probe.", "audio.long.", "audio.short", "audio.fbank")


def all_stages(model, golden):
    return {
        **model.stages(video=golden["input.video"]),
        **model.stages(
            input_ids=golden["text.batch.input_ids"],
            attention_mask=golden["text.batch.attention_mask"],
        ),
        **model.stages(mel=golden["audio.long.mel"]),
    }


def farthest(found, golden):
    """The stage that is farthest from the original, and how far."""
    worst = ("", 0.0)
    for name, tensor in found.items():
        if name in golden.tensors:
            wanted = golden[name]
            assert tensor.shape == wanted.shape, name
            apart = (tensor - wanted).abs()
            if name == "text.batch.last_hidden_state":
                apart = apart * golden["text.batch.attention_mask"][..., None]
            worst = max(worst, (name, float(apart.max())), key=lambda pair: pair[1])
    return worst


def test_every_stage_is_that_of_the_original(golden, golden_model):
    found = all_stages(golden_model, golden)
    wanted = {name for name in golden.tensors if not name.startswith(NO_STAGES)}
    assert wanted <= found.keys()
    name, apart = farthest(found, golden)
    assert apart < CLOSE, name


def test_the_whole_state_dict_gives_the_same_as_the_released_files(golden, golden_model):
    whole = VideoLlama.from_original(
        golden.config, {"weights": golden.folder / "weights.safetensors"}
    )
    ours = dict(golden_model.named_parameters())
    theirs = dict(whole.named_parameters())
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in ours.items())


def test_bfloat16_keeps_directions(golden, golden_model):
    half = VideoLlama.from_original(golden.config, golden.sources, dtype=torch.bfloat16)
    assert half.visual.vit.encoder.layers[0].mlp.fc1.weight.dtype == torch.bfloat16
    # What stands between the towers, and the sound, stay in single precision.
    for tensor in (*half.visual.video_qformer.parameters(), *half.audio.parameters()):
        assert tensor.dtype == torch.float32
    exact, rounded = (model.stages(video=golden["input.video"]) for model in (golden_model, half))
    for name, least in (
        ("before_llama.video_embeddings", 0.9999),
        ("after_llama.last_hidden_state", 0.998),
    ):
        cosines = torch.cosine_similarity(exact[name], rounded[name].float(), dim=-1)
        assert cosines.min() > least, name


def test_epsilons(golden, golden_model):
    probes = [name for name in golden.tensors if name.startswith("eps_probe.")]
    names = {name.removeprefix("eps_probe.").rpartition(".")[0] for name in probes}
    assert len(names) >= 8
    for name in names:
        given = golden[f"eps_probe.{name}.input"]
        found = golden_model.original_module(name)(given)
        assert (found - golden[f"eps_probe.{name}.output"]).abs().max() < 1e-5, name


def test_a_single_text_has_its_own_stages(golden, golden_model):
    for i in golden.facts["texts"]:
        found = golden_model.stages(input_ids=golden[f"text.{i}.input_ids"])
        wanted = golden[f"text.{i}.last_hidden_state"]
        assert (found["text.0.last_hidden_state"] - wanted).abs().max() < CLOSE


def test_pixel_values(golden):
    frames = golden["preprocess.frames_resized_uint8"]
    found = pixel_values(frames.numpy(), frames.shape[1])
    assert (found - golden["preprocess.pixel_values"]).abs().max() < 1e-6


def test_frame_numbers_and_messages(golden):
    for case in golden.facts["frame_sampling_cases"]:
        indices = frame_indices(case["num_frames"], case["n_frms"])
        assert indices == case["indices"]
        assert frames_message([i / case["fps"] for i in indices]) == case["message"]


def test_prompts(golden):
    said = golden.facts["prompts"]
    message = VIDEO_MARKS + golden.facts["preprocess"]["message"]
    assert vicuna_prompt(message) == said["vicuna_video"]
    assert llama2_prompt(message) == said["llama2_video_empty_system"]
    assert sound_and_video_message() == said["vicuna_audio_video_user_message"]
    assert said["llama2_default_system"] == LLAMA2_SYSTEM
    assert said["image_message_template"] == STILL_MARKS


def ids_of(pieces):
    return [number for piece in pieces for number in piece.content]


def test_token_ids(golden):
    tokenizer = load_tokenizer(golden.folder)
    said = golden.facts["prompts"]
    for text in golden.facts["texts"].values():
        pieces = caption_pieces(tokenizer, text["caption"], 512)
        assert ids_of(prompt_row(tokenizer, INPUT, pieces)) == text["input_ids"]
    video = Piece(Kind.VIDEO, torch.zeros(5, 1))
    for prompt, segments in (
        ("vicuna_video", "vicuna_segment_ids"),
        ("llama2_video_empty_system", "llama2_segment_ids"),
    ):
        row = prompt_row(tokenizer, said[prompt].replace(IMAGE, INPUT), [video])
        at = row.index(video)
        assert [ids_of(row[:at]), ids_of(row[at + 1 :])] == said[segments]
    assert tokenizer.pad_token_id == golden.facts["tokenizer"]["pad_token_id"]


def test_filter_banks(golden):
    samples = golden["audio.fbank_check.waveform"]
    wanted = golden["audio.fbank_check.logmel_unnormalised"]
    found = mel_picture(samples - samples.mean(), bins=wanted.shape[1], length=wanted.shape[2])
    assert (found - wanted).abs().max() < MEL


def test_mel_pictures_with_the_mean_taken_in_place(golden):
    for name, sound in golden.facts["audio"]["waveforms"].items():
        samples, rate = golden[f"audio.{name}.waveform"], sound["sample_rate"]
        before = samples.clone()
        found = mel_pictures(samples, rate, golden.config.audio, shift_in_place=True)
        assert (found - golden[f"audio.{name}.mel"][0]).abs().max() < MEL, name
        assert torch.equal(samples, before)


def test_resampling(golden):
    for name, sound in golden.facts["audio"]["waveforms"].items():
        if f"audio.{name}.resampled" in golden.tensors:
            found = resample(golden[f"audio.{name}.waveform"], sound["sample_rate"], 16_000)
            wanted = golden[f"audio.{name}.resampled"]
            assert found.shape == wanted.shape
            assert (found - wanted).abs().max() < 2e-5


def test_clips_of_sound(golden):
    for case in golden.facts["audio_clip_cases"]:
        found = clip_slices(case["duration"], case["clips_per_video"])
        assert [list(slices) for slices in found] == case["sample_slices_16k"]
