"""Video-LLaMA as an encoder, against what the original's scripts made of the same weights."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from moviola.core import Frames, WeightsUnavailableError
from moviola.encode.decoder.presets import PRESETS as GENERAL
from moviola.encode.video_llama import encoder as videollama
from moviola.encode.video_llama.readouts import REPORT as PUBLISHED
from moviola.testing import check_unpooled

pytestmark = pytest.mark.shared
PRESETS = {**GENERAL, **PUBLISHED}
REPORT = ("report-before-llama", "report-after-llama", "report-as-scripted")


@pytest.fixture(scope="module")
def folder(shared_data):
    return shared_data / "videollama_golden"


@pytest.fixture(scope="module")
def golden(folder):
    return load_file(folder / "tensors.safetensors")


@pytest.fixture(scope="module")
def config(folder):
    return json.loads((folder / "config.json").read_text())


@pytest.fixture(scope="module")
def captions(config):
    return [config["texts"][str(i)]["caption"] for i in range(len(config["texts"]))]


@pytest.fixture(scope="module")
def clip(golden, config):
    pixels = golden["preprocess.frames_resized_uint8"].numpy()
    asked = config["preprocess"]
    return Frames(pixels, np.array(asked["frame_indices"]) / asked["fps"])


@pytest.fixture(scope="module")
def second(golden, clip):
    return Frames(golden["preprocess.clip2_uint8"].numpy(), clip.times)


def test_captions_are_pooled_as_the_report_did(folder, golden, captions):
    encoder = videollama.load(
        str(folder), readout=REPORT, pooling=("first", "max", "min", "sum", "mean", "none")
    )
    names = {
        "first": "pool_first",
        "max": "pool_max",
        "min": "pool_average_as_scripted_min",
        "sum": "pool_sum",
        "mean": "pool_mean_correct",
    }
    for i, read in enumerate(encoder.read_texts(captions)):
        for pooling, name in names.items():
            np.testing.assert_allclose(
                read[f"report-after-llama/{pooling}"][0],
                golden[f"text.{i}.{name}"].flatten(),
                atol=1e-4 if pooling == "sum" else 1e-5,
            )
        states = golden[f"text.{i}.last_hidden_state"][0]
        np.testing.assert_allclose(read["report-before-llama/none"], states, atol=1e-5)


def test_the_scripts_minimum_is_an_option_and_no_default(folder, golden, captions):
    encoder = videollama.load(str(folder), readout="report-as-scripted")
    (read,) = encoder.read_texts(captions[:1])
    wanted = golden["text.0.pool_average_as_scripted_min"].flatten()
    np.testing.assert_allclose(read[""][0], wanted, atol=1e-5)
    assert encoder.text_readout.pooling == "min"
    assert encoder.video_readout.pooling == "mean"
    pools = {
        both.pooling
        for name in PRESETS
        if name != "report-as-scripted"
        for both in (PRESETS[name].text, PRESETS[name].video)
    }
    assert "min" not in pools


def test_videos_are_what_the_reports_scripts_saved(folder, golden, clip):
    encoder = videollama.load(str(folder), readout=REPORT[:2], pooling="none")
    (read,) = encoder.read_videos([clip])
    np.testing.assert_allclose(read["report-before-llama"], golden["fork.before_llama"], atol=1e-5)
    np.testing.assert_allclose(read["report-after-llama"], golden["fork.after_llama"], atol=1e-5)


def test_the_words_of_llama_2_are_the_originals(folder, golden, clip):
    encoder = videollama.load(str(folder), readout="llama2-after-llama", pooling="none")
    (read,) = encoder.read_videos([clip])
    wanted = golden["after_llama_llama2prompt.last_hidden_state"][0]
    np.testing.assert_allclose(read[""], wanted, atol=1e-5)


def test_all_layers_come_from_one_pass_and_are_the_originals(folder, golden, clip, second):
    encoder = videollama.load(
        str(folder), readout="report-after-llama", layers="all", pooling="none"
    )
    depth = encoder.backbone.depth
    passes = []
    handle = encoder.backbone.decoder().register_forward_pre_hook(lambda *_: passes.append(1))
    read, _ = encoder.read_videos([clip, second])
    handle.remove()
    assert len(passes) == 1
    assert list(read) == [f"layer-{i:02d}" for i in range(depth + 1)]
    for i in range(depth + 1):
        wanted = golden[f"after_llama.hidden_states.{i}"][0]
        np.testing.assert_allclose(read[f"layer-{i:02d}"], wanted, atol=1e-5)


def test_batched_is_single(folder, clip, second, captions):
    encoder = videollama.load(str(folder), readout=tuple(PRESETS), layers="1,-1")
    short = Frames(clip.pixels[[0, 0, 1, 2]], clip.times[[0, 0, 1, 2]])
    for inputs, read in (
        ([clip, second, short, clip], encoder.read_videos),
        (captions, encoder.read_texts),
    ):
        together = read(inputs)
        for own, alone in zip(together, [read([each])[0] for each in inputs], strict=True):
            for name, rows in own.items():
                np.testing.assert_allclose(rows, alone[name], atol=1e-5, err_msg=name)


def test_a_tower_that_is_not_asked_for_is_not_loaded(folder, clip, captions, monkeypatch):
    loaded = []
    real = videollama.load_model

    def watched(files, parts, **options):
        loaded.extend(parts)
        return real(files, parts, **options)

    monkeypatch.setattr(videollama, "load_model", watched)
    videollama.load(str(folder)).encode_texts(captions)
    assert loaded == ["llama"]
    loaded.clear()
    videollama.load(str(folder), readout="report-before-llama").encode_videos([clip])
    assert loaded == ["visual"]


def test_the_encoder_keeps_its_promises_with_its_pooling_and_without(folder):
    check_unpooled(*(videollama.load(str(folder), pooling=name) for name in ("none", "max")))


def test_sound_stands_beside_the_video_or_alone(folder, golden, clip):
    from moviola.core import Waveform

    name = "long"
    heard = Waveform(golden[f"audio.{name}.waveform"].numpy(), 16000, 0.0)
    loud = replace(clip, sound=heard)
    wanted = golden["audio.audio_llama_proj_output"][0]
    both = videollama.load(
        str(folder),
        readout="report-before-llama",
        pooling="none",
        audio="beside",
        mean_in_place=True,
    )
    (read,) = both.read_videos([loud])
    video = golden["fork.before_llama"]
    np.testing.assert_allclose(read[""][: len(video)], video, atol=1e-5)
    np.testing.assert_allclose(read[""][len(video) :], wanted, atol=1e-3)
    alone = videollama.load(
        str(folder), readout="report-before-llama", pooling="none", audio="alone"
    )
    (rows,) = alone.encode_videos([loud])
    assert rows.shape == tuple(wanted.shape)
    assert alone.video_readout != both.video_readout
    assert alone.sound is not None
    assert alone.sound.spec in alone.video_readout.sampling
    silent = replace(clip, sound=Waveform(np.zeros((2, 0), np.float32), 16000, 0.0))
    assert np.isfinite(alone.encode_videos([silent])[0]).all()


def test_the_space_is_the_weights_and_readouts_tell_the_rest(folder):
    one, other = (videollama.load(str(folder), readout=name) for name in ("content", "echo"))
    assert one.space == other.space
    assert one.text_readout != other.text_readout
    assert one.video_readout != other.video_readout


def test_what_cannot_be_read_is_refused(folder, tmp_path):
    with pytest.raises(ValueError, match="no readout is called 'lastt'; there are content"):
        videollama.load(str(folder), readout="lastt")
    with pytest.raises(ValueError, match="no layer 9: this model has 3"):
        videollama.load(str(folder), layers=9)
    with pytest.raises(ValueError, match="audio is none, beside or alone"):
        videollama.load(str(folder), audio="only")
    with pytest.raises(WeightsUnavailableError):
        videollama.load(str(tmp_path))


def test_first_tokens_are_one_vector_and_sum_is_mean_under_the_cosine(folder, captions):
    encoder = videollama.load(
        str(folder), readout="report-after-llama", pooling=("first", "sum", "mean")
    )
    read = encoder.read_texts(captions)
    first = np.concatenate([own["first"] for own in read])
    assert np.abs(first - first[0]).max() < 1e-5
    for own in read:
        total, average = (torch.from_numpy(own[name][0]) for name in ("sum", "mean"))
        assert torch.cosine_similarity(total, average, dim=0) == pytest.approx(1, abs=1e-6)
