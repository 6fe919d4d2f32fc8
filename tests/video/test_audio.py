from __future__ import annotations

import numpy as np
import pytest

from moviola.core import FileCode, Span, VideoUnreadableError
from moviola.video import DecodePool, Limits


@pytest.fixture(scope="module")
def sounding(studio, tmp_path_factory):
    return studio.film(tmp_path_factory.mktemp("sound") / "v.mp4", 50, sound=1.5)


def test_the_sound_of_a_span(pool, sounding):
    wave = pool.read_waveform(sounding, Span(0.5, 1.25), rate=8000)
    assert wave.samples.shape == (1, 6000)
    assert (wave.rate, wave.start) == (8000, 0.5)
    spectrum = np.abs(np.fft.rfft(wave.samples[0]))
    assert np.argmax(spectrum) * 8000 / 6000 == pytest.approx(440, abs=2)
    assert np.sqrt((wave.samples**2).mean()) == pytest.approx(0.5 / np.sqrt(2), rel=0.1)


def test_what_the_track_does_not_cover_is_silent(pool, sounding):
    wave = pool.read_waveform(sounding, Span(1.0, 3.0), channels=2)
    assert wave.samples.shape == (2, 32_000)
    assert np.abs(wave.samples[:, :7000]).max() > 0.3  # as loud as one channel, over two
    assert np.abs(wave.samples[:, 12_000:]).max() < 0.01


def test_parts_are_parts_of_the_whole(pool, sounding):
    whole = pool.read_waveform(sounding, Span(0, 1.5), rate=16_000).samples
    part = pool.read_waveform(sounding, Span(0.7, 1.2), rate=16_000).samples
    assert np.abs(part - whole[:, 11_200:19_200]).max() < 0.02


def test_no_sound_is_no_samples(studio, pool, tmp_path):
    path = studio.film(tmp_path / "v.mp4", 5)
    assert pool.read_waveform(path, Span(0, 1)).samples.shape == (1, 0)


def test_mistakes(pool, sounding, tmp_path):
    with pytest.raises(ValueError, match="channels"):
        pool.read_waveform(sounding, Span(0, 1), channels=6)
    with pytest.raises(VideoUnreadableError) as caught:
        pool.read_waveform(tmp_path / "none.mp4", Span(0, 1))
    assert caught.value.code is FileCode.VANISHED
    with DecodePool(1, Limits(clip_bytes=1000)) as small:
        with pytest.raises(VideoUnreadableError) as caught:
            small.read_waveform(sounding, Span(0, 1))
        assert caught.value.code is FileCode.TOO_LARGE
