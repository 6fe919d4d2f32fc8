from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from moviola.channels import speech
from moviola.core import (
    FileCode,
    MissingExtraError,
    Span,
    VideoInfo,
    VideoUnreadableError,
    Waveform,
    WeightsUnavailableError,
)
from moviola.testing import MemoryTools, check_channel

pytest.importorskip("faster_whisper", reason="the extra speech is not installed")

from fixtures.whisper import RATE, make_whisper, voice

VIDEO = Path("talk.mp4")


def silence(seconds):
    return np.zeros(round(seconds * RATE), np.float32)


def heard(*parts, start=0.0, **kwargs):
    """Hand out sound a second at a time."""
    samples = np.concatenate(parts)
    waves = [
        Waveform(samples[None, i : i + RATE], RATE, start + i / RATE)
        for i in range(0, len(samples), RATE)
    ]
    return MemoryTools(waveforms=waves, **kwargs)


def info(seconds):
    return VideoInfo(seconds, 426, 240, round(25 * seconds), "h264", "mp4", has_sound=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_whisper(tmp_path_factory.mktemp("whisper"))


@pytest.fixture(scope="module")
def channel(folder):
    return speech.load(str(folder))


def test_times_are_monotone_and_within_the_voices(channel):
    tools = heard(silence(3), voice(4), silence(4), voice(3, seed=1), silence(3))
    found = check_channel(channel, VIDEO, info(17.0), tools)
    assert found, "a random Whisper says something wherever it hears a voice"
    assert {type(p.span.start) for p in found} == {float}
    for passage in found:
        # silero pads what it takes for a voice by 0.4 s, and tells it within half a second.
        inside = [(2.0, 8.0), (10.0, 15.0)]
        assert any(start <= passage.span.start < end for start, end in inside), passage
        assert passage.words
        assert 0 < passage.confidence <= 1
        assert passage.box is None


def test_sound_that_starts_late_keeps_its_times(channel):
    early = list(channel.passages(VIDEO, info(9.0), heard(silence(1), voice(4))))
    late = list(channel.passages(VIDEO, info(9.0), heard(silence(1), voice(4), start=2.0)))
    assert [p.text for p in late] == [p.text for p in early]
    shifts = {round(b.span.start - a.span.start, 3) for a, b in zip(early, late, strict=True)}
    assert shifts == {2.0}


@pytest.mark.parametrize("what", ["silence", "noise", "tone", "nothing"])
def test_what_is_no_voice_yields_nothing_and_loads_no_model(folder, monkeypatch, what):
    fresh = speech.load(str(folder))
    monkeypatch.setattr(fresh, "_loaded", lambda: pytest.fail("the model is loaded"))
    time = np.arange(20 * RATE) / RATE
    sounds = {
        "silence": silence(900),
        "noise": np.random.default_rng(0).normal(0, 0.1, len(time)),
        "tone": 0.3 * np.sin(2 * np.pi * 440 * time),
        "nothing": silence(0),
    }
    sound = sounds[what].astype(np.float32)
    assert list(fresh.passages(VIDEO, info(900.0), heard(sound))) == []


def test_long_sound_is_recognised_in_pieces_cut_where_it_is_quiet(monkeypatch):
    monkeypatch.setattr(speech, "PIECE", 60.0)
    loud = np.ones(round(45.2 * RATE), np.float32)
    tools = heard(loud, silence(0.6), loud, silence(0.4), loud)
    pieces = list(speech._pieces(tools.sound()))
    assert [round(len(samples) / RATE + start, 1) for samples, start in pieces] == [
        pytest.approx(45.5, abs=0.3),
        pytest.approx(91.2, abs=0.3),
        pytest.approx(136.6, abs=0.3),
    ]
    assert np.array_equal(
        np.concatenate([samples for samples, _ in pieces]),
        np.concatenate([wave.samples[0] for wave in tools.waveforms]),
    )
    ends = [start + len(samples) / RATE for samples, start in pieces]
    assert [start for _, start in pieces[1:]] == pytest.approx(ends[:-1])


def test_what_was_said_before_a_file_broke_off_is_kept(channel):
    broken = VideoUnreadableError("the file ends", code=FileCode.TRUNCATED)
    reading = channel.passages(VIDEO, info(60.0), heard(voice(4), broken=broken))
    found = []
    with pytest.raises(VideoUnreadableError):
        found.extend(iter(lambda: next(reading), None))
    assert list(channel.passages(VIDEO, info(4.0), heard(voice(4))))
    reading = channel.passages(VIDEO, info(60.0), heard(voice(4), broken=broken))
    assert next(reading).span.end <= 4.0


def test_both_ears_are_heard(channel):
    one = list(channel.passages(VIDEO, info(4.0), heard(voice(4))))
    waves = [Waveform(np.stack([voice(4), voice(4)]), RATE, 0.0)]
    assert list(channel.passages(VIDEO, info(4.0), MemoryTools(waveforms=waves))) == one


@pytest.mark.parametrize(("told", "spoken"), [("de", "de"), (None, "fr")])
def test_the_language_is_told_or_detected(folder, monkeypatch, told, spoken):
    class Whisper:
        def transcribe(self, _samples, language, **_options):
            segment = SimpleNamespace(
                text=" oui", start=0.5, end=2.0, compression_ratio=1.0, avg_logprob=-0.1, words=None
            )
            return iter([segment]), SimpleNamespace(language=language or "fr")

    channel = speech.load(str(folder), language=told)
    monkeypatch.setattr(channel, "_loaded", Whisper)
    [passage] = channel.passages(VIDEO, info(4.0), heard(voice(4)))
    assert (passage.text, passage.language, passage.span) == ("oui", spoken, Span(0.5, 2.0))
    assert channel.version.endswith(f"language:{told or 'detected'}")


def test_the_version_names_the_model_by_its_content(folder, channel, tmp_path):
    copy = tmp_path / folder.name
    copy.mkdir()
    for file in folder.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    assert speech.load(str(copy), threads=1).version == channel.version
    with (copy / "model.bin").open("r+b") as file:
        file.write(b"other")
    assert speech.load(str(copy)).version != channel.version
    assert "model:base " in speech.load().version


@pytest.mark.parametrize("name", ["tokenizer.json", "model.bin", "config.json"])
def test_a_folder_that_is_no_model_is_refused_at_once(folder, tmp_path, name):
    for file in folder.iterdir():
        if file.name != name:
            (tmp_path / file.name).write_bytes(file.read_bytes())
    with pytest.raises(WeightsUnavailableError, match=f"has no {name}"):
        speech.load(str(tmp_path))
    with pytest.raises(WeightsUnavailableError, match=r"has no config\.json"):
        speech.load(str(tmp_path / "nowhere"))


def test_a_damaged_model_says_so(folder, tmp_path):
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes()[:1000])
    damaged = speech.load(str(tmp_path))
    with pytest.raises(WeightsUnavailableError, match="neither here nor to be had"):
        list(damaged.passages(VIDEO, info(4.0), heard(voice(4))))


def test_a_missing_extra_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(speech.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"moviola\[speech\]"):
        speech.load()


def test_no_threads_are_refused():
    with pytest.raises(ValueError, match="at least 1 thread, got 0"):
        speech.load(threads=0)
