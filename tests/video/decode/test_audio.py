from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from moviola.core import FileCode, SoundSpec, Span, VideoUnreadableError
from moviola.video import DecodePool, GivenSegmenter, Limits, WindowSegmenter

WANTED = SoundSpec(8000, 1)


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


def test_clips_come_with_the_sound_that_reading_it_alone_gives(read, pool, sounding):
    clips, done = read(sounding, WindowSegmenter(0.8, 0.3), sound=WANTED)
    assert done.code is FileCode.OK
    assert len(clips) > 4
    for clip in clips:
        heard = clip.frames.sound
        alone = pool.read_waveform(sounding, clip.span, rate=8000)
        assert (heard.rate, heard.start) == (8000, clip.span.start)
        assert heard.samples.shape == (1, round(clip.span.duration * 8000))
        assert np.abs(heard.samples - alone.samples).max() < 0.02


def test_spans_that_lie_in_one_another_each_have_their_sound(read, pool, sounding):
    spans = (Span(0, 1.9), Span(0.2, 0.4), Span(0.1, 1.4), Span(1.2, 1.4), Span(0, 0.5))
    clips, _ = read(sounding, GivenSegmenter(spans), sound=WANTED)
    assert [clip.span for clip in clips] == list(spans)
    for clip in clips:
        alone = pool.read_waveform(sounding, clip.span, rate=8000)
        assert np.abs(clip.frames.sound.samples - alone.samples).max() < 0.02


def test_a_silent_file_has_a_waveform_without_samples(studio, read, tmp_path):
    (clip,), _ = read(studio.film(tmp_path / "v.mp4", 25), sound=SoundSpec(8000, 2))
    assert clip.frames.sound.samples.shape == (2, 0)


def test_without_being_asked_for_there_is_no_sound(read, sounding):
    (clip,), _ = read(sounding)
    assert clip.frames.sound is None


def test_pixels_do_not_depend_on_the_sound(read, sounding):
    (plain,), _ = read(sounding)
    (heard,), _ = read(sounding, sound=WANTED)
    assert np.array_equal(plain.frames.pixels, heard.frames.pixels)
    assert np.array_equal(plain.frames.times, heard.frames.times)


def test_a_clip_with_more_sound_than_fits(read, sounding):
    with DecodePool(1, Limits(clip_bytes=30_000)) as small:
        _, done = read(sounding, by=small, sound=WANTED)
        assert done.code is FileCode.TOO_LARGE
        assert "shorter clips" in done.message
        clips, done = read(sounding, WindowSegmenter(0.5, 0.5), by=small, sound=WANTED)
        assert done.code is FileCode.OK
        assert len(clips) == 4


def test_a_sound_that_breaks_is_silent_and_said(studio, read, tmp_path):
    path = studio.film(tmp_path / "v.mp4", 50, sound=2.0)
    data = bytearray(path.read_bytes())
    packets = _sound_packets(path)
    for at, size in packets[len(packets) // 2 :]:
        data[at : at + size] = b"\xff" * size
    path.write_bytes(data)
    (clip,), done = read(path, sound=WANTED)
    assert done.code is FileCode.OK_PARTIAL
    assert "silent" in done.message
    assert np.abs(clip.frames.sound.samples[:, 1000:6000]).max() > 0.3
    assert np.abs(clip.frames.sound.samples[:, 12_000:]).max() < 0.01


def test_one_channel_is_heard_whole_from_both_sides(pool, tmp_path):
    path = tmp_path / "v.mkv"
    with av.open(str(path), "w") as output:
        track = output.add_stream("mp2", rate=32_000, layout="mono")
        for packet in _mpeg_audio("mono", 0):
            packet.stream = track
            output.mux(packet)
    one = pool.read_waveform(path, Span(0.2, 0.8), channels=1)
    both = pool.read_waveform(path, Span(0.2, 0.8), channels=2)
    assert np.abs(one.samples).max() == pytest.approx(0.5, abs=0.02)
    assert np.array_equal(both.samples, np.repeat(one.samples, 2, axis=0))


def test_a_track_that_turns_from_mono_to_stereo(read, tmp_path):
    # Each frame of MPEG audio says how many channels it has; broadcasts change on the fly.
    path = tmp_path / "v.ts"
    with av.open(str(path), "w", format="mpegts") as output:
        film = output.add_stream("libx264", rate=25)
        film.width, film.height, film.pix_fmt = 64, 48, "yuv420p"
        track = output.add_stream("mp2", rate=32_000, layout="mono")
        for number in range(50):
            picture = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8))
            picture.pts, picture.time_base = number, Fraction(1, 25)
            output.mux(film.encode(picture))
        output.mux(film.encode())
        for layout, first in (("mono", 0), ("stereo", 32_256)):
            for packet in _mpeg_audio(layout, first):
                packet.stream = track
                output.mux(packet)
    (clip,), done = read(path, sound=WANTED)
    assert done.code is FileCode.OK
    for part in (clip.frames.sound.samples[0, 1000:7000], clip.frames.sound.samples[0, 9000:15000]):
        spectrum = np.abs(np.fft.rfft(part))
        assert np.argmax(spectrum) * 8000 / 6000 == pytest.approx(440, abs=2)


def _mpeg_audio(layout, first):
    encoder = av.CodecContext.create("mp2", "w")
    encoder.rate, encoder.layout, encoder.format = 32_000, layout, "s16"
    encoder.time_base = Fraction(1, 32_000)
    channels = 1 if layout == "mono" else 2
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(28 * 1152) / 32_000)
    samples = np.repeat((tone * 32_767).astype(np.int16), channels)[None]
    for number, part in enumerate(np.split(samples, 28, axis=1)):
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(part), "s16", layout)
        frame.sample_rate, frame.time_base = 32_000, Fraction(1, 32_000)
        frame.pts = first + number * 1152
        yield from encoder.encode(frame)
    yield from encoder.encode()


def _sound_packets(path):
    with av.open(str(path)) as container:
        return [(p.pos, p.size) for p in container.demux(audio=0) if p.size]
