"""Frames are the ones a player shows at their time: numbers burnt into every frame tell."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from moviola.core import (
    ConsecutiveSampler,
    FileCode,
    RateSampler,
    Span,
    UniformSampler,
    VideoUnreadableError,
)
from moviola.video import DecodePool, GivenSegmenter, Limits, WindowSegmenter, read_frames_at
from moviola.video.decode.reading import fold_stills
from moviola.video.worker.serving import _bytes_on_disk

B_FRAMES = {"bf": "3", "g": "20", "preset": "veryfast"}


def numbers(studio, frames):
    return [studio.number_of(picture) for picture in frames.pixels]


def shown_at(starts, times):
    """Which of the frames that start at `starts` a player shows at each of `times`."""
    return np.maximum(np.searchsorted(starts, np.asarray(times) + 1e-6, side="right") - 1, 0)


@pytest.mark.parametrize("name", ["v.mp4", "v.mkv", "v.mov", "v.avi", "v.flv"])
def test_every_frame_of_a_constant_rate(studio, read, tmp_path, name):
    path = studio.film(tmp_path / name, 50, options=B_FRAMES)
    clips, done = read(path, sampler=UniformSampler(50))
    assert done.code is FileCode.OK
    assert done.info.frames == 50
    assert done.info.duration == pytest.approx(2.0, abs=0.011)
    assert numbers(studio, clips[0].frames) == list(range(50))
    assert clips[0].frames.times == pytest.approx(np.arange(50) / 25, abs=0.001)


@pytest.mark.parametrize(
    ("codec", "name", "options"),
    [
        ("mpeg4", "v.avi", {}),
        ("libvpx", "v.webm", {"deadline": "realtime", "auto-alt-ref": "1", "lag-in-frames": "16"}),
        ("libvpx-vp9", "v.webm", {"deadline": "realtime", "lag-in-frames": "16"}),
        ("mjpeg", "v.mov", {}),
        ("mpeg2video", "v.ts", {"bf": "2"}),
        ("mpeg2video", "v.mpg", {"bf": "2"}),
        ("ffv1", "v.mkv", {}),
        ("libx265", "v.mp4", {"x265-params": "log-level=none:bframes=3"}),
    ],
)
def test_every_frame_of_other_codecs(studio, read, tmp_path, *, codec, name, options):
    pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    path = studio.film(tmp_path / name, 40, codec=codec, options=options, pix_fmt=pix_fmt)
    clips, done = read(path, sampler=UniformSampler(40))
    assert done.code is FileCode.OK, done.message
    assert numbers(studio, clips[0].frames) == list(range(40))


def test_a_gif(studio, read, tmp_path):
    path = studio.film(tmp_path / "v.gif", 20, codec="gif", pix_fmt="gray")
    clips, done = read(path, sampler=UniformSampler(20))
    assert done.code is FileCode.OK
    assert numbers(studio, clips[0].frames) == list(range(20))


def test_a_variable_rate(studio, read, tmp_path):
    # 10 ms and 400 ms by turns: counting frames would be off by seconds.
    lengths = np.where(np.arange(30) % 2, 400, 10)
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    path = studio.film(
        tmp_path / "v.mkv", 30, ticks=starts.tolist(), time_base=Fraction(1, 1000), options=B_FRAMES
    )
    wanted = RateSampler(10, 1000)
    clips, done = read(path, WindowSegmenter(2, 1), wanted)
    assert done.code is FileCode.OK
    assert len(clips) >= 4
    for clip in clips:
        expected = shown_at(starts / 1000, wanted.times(clip.span))
        assert numbers(studio, clip.frames) == expected.tolist()
        assert clip.frames.times == pytest.approx(starts[expected] / 1000)


@pytest.mark.parametrize("name", ["v.mp4", "v.mkv", "v.ts", "v.flv"])
def test_time_begins_with_the_first_moment_whatever_the_clock_says(studio, read, tmp_path, name):
    ticks = list(range(37 * 25, 37 * 25 + 40))
    path = studio.film(tmp_path / name, 40, ticks=ticks, options=B_FRAMES)
    clips, done = read(path, sampler=UniformSampler(40))
    assert done.info.duration == pytest.approx(1.6, abs=0.011)
    assert numbers(studio, clips[0].frames) == list(range(40))
    assert clips[0].frames.times[0] == pytest.approx(0, abs=1e-3)


def test_pictures_that_begin_after_the_sound_keep_their_delay(studio, read, tmp_path):
    ticks = list(range(25, 65))
    path = studio.film(tmp_path / "v.mp4", 40, ticks=ticks, options=B_FRAMES, sound=3.0)
    clips, done = read(path, GivenSegmenter((Span(0, 1), Span(1, 1.4))), UniformSampler(10))
    assert done.info.duration == pytest.approx(2.6, abs=0.05)
    assert done.info.has_sound
    # Before the first frame a player shows it already.
    assert numbers(studio, clips[0].frames) == [0] * 10
    assert numbers(studio, clips[1].frames) == list(range(10))
    assert clips[1].frames.times[0] == pytest.approx(1.0, abs=0.05)


def test_an_edit_list_hides_what_it_cuts(studio, read, tmp_path):
    path = studio.film(tmp_path / "v.mp4", 50, options={"bf": "0", "g": "10"})
    data = bytearray(path.read_bytes())
    at = data.index(b"elst") + 12
    scale = int.from_bytes(data[data.index(b"mdhd") + 16 :][:4], "big")
    movie = int.from_bytes(data[data.index(b"mvhd") + 16 :][:4], "big")
    # Show one second, from the frame at 0.6 s on.
    data[at : at + 8] = movie.to_bytes(4, "big") + round(0.6 * scale).to_bytes(4, "big")
    path.write_bytes(data)
    clips, done = read(path, sampler=UniformSampler(25))
    assert done.info.duration == pytest.approx(1.0, abs=0.041)
    found = numbers(studio, clips[0].frames)
    assert found[0] == 15
    assert clips[0].frames.times == pytest.approx((np.array(found) - 15) / 25, abs=1e-3)


def test_the_clock_of_a_transport_stream_may_wrap(studio, read, tmp_path):
    first = 2**33 - 90_000
    path = studio.film(
        tmp_path / "v.ts",
        50,
        ticks=[first + 3600 * n for n in range(50)],
        time_base=Fraction(1, 90_000),
        options={"bf": "2"},
        muxing={"mpegts_copyts": "1"},
    )
    clips, done = read(path, sampler=UniformSampler(50))
    assert done.code is FileCode.OK
    assert done.info.duration == pytest.approx(2.0, abs=0.041)
    assert numbers(studio, clips[0].frames) == list(range(50))


@pytest.mark.parametrize("count", [1, 2, 7])
def test_short_videos_repeat_frames(studio, read, tmp_path, count):
    path = studio.film(tmp_path / "v.mp4", count)
    clips, done = read(path, WindowSegmenter(), UniformSampler(16))
    assert done.code is FileCode.OK
    assert len(clips) == 1
    found = numbers(studio, clips[0].frames)
    assert len(found) == 16
    assert sorted(set(found)) == list(range(count))
    assert clips[0].frames.times == pytest.approx(np.array(found) / 25, abs=1e-3)


def test_samplers_may_choose_among_the_frames_themselves(studio, read, tmp_path):
    path = studio.film(tmp_path / "v.mp4", 60, options=B_FRAMES)
    segmenter = GivenSegmenter((Span(0.0, 1.0), Span(0.5, 2.4), Span(0.01, 0.03)))
    clips, _ = read(path, sampler=ConsecutiveSampler(8), segmenter=segmenter)
    first, second, speck = (numbers(studio, clip.frames) for clip in clips)
    assert np.diff(first).tolist() == np.diff(second).tolist() == [1] * 7
    assert 0 <= first[0] <= 16  # of 25 frames: neither the last nor beyond
    assert 12 <= second[0] <= 51
    assert speck == [0] * 8
    again, _ = read(path, sampler=ConsecutiveSampler(8), segmenter=segmenter)
    assert numbers(studio, again[0].frames) == first
    places = {
        numbers(studio, read(path, sampler=ConsecutiveSampler(8, seed))[0][0].frames)[0]
        for seed in range(8)
    }
    assert len(places) > 3


def test_windows_share_frames_and_come_complete(studio, read, tmp_path):
    path = studio.film(tmp_path / "v.mp4", 240, options={"g": "60"})
    sampler = UniformSampler(8)
    clips, done = read(path, WindowSegmenter(6, 3), sampler)
    assert [clip.span for clip in clips] == [Span(0, 6), Span(3, 9), Span(3.6, 9.6)]
    for clip in clips:
        assert numbers(studio, clip.frames) == [
            int(t * 25 + 1e-6) for t in sampler.times(clip.span)
        ]
    assert done.code is FileCode.OK


def test_given_spans_are_clamped_and_those_outside_left_out(studio, read, tmp_path):
    path = studio.film(tmp_path / "v.mp4", 50)
    spans = (Span(1, 30), Span(40, 50), Span(0, 0.5))
    clips, done = read(path, GivenSegmenter(spans))
    assert [(clip.index, clip.span) for clip in clips] == [(0, Span(1, 2)), (2, Span(0, 0.5))]
    clips, done = read(path, GivenSegmenter((Span(40, 50),)))
    assert not clips
    assert done.code is FileCode.TRUNCATED
    assert "before the wanted span" in done.message


def test_frames_at_times(studio, tmp_path):
    path = studio.film(tmp_path / "v.mp4", 50, options=B_FRAMES)
    frames = read_frames_at(path, [0.0, 0.5, 0.5, 1.23, 99.0])
    assert numbers(studio, frames) == [0, 12, 12, 30, 49]
    assert frames.times == pytest.approx([0, 0.48, 0.48, 1.2, 1.96], abs=1e-3)
    with pytest.raises(ValueError, match="ascending"):
        read_frames_at(path, [1.0, 0.5])
    with pytest.raises(VideoUnreadableError) as caught:
        read_frames_at(tmp_path / "none.mp4", [0.0])
    assert caught.value.code is FileCode.VANISHED


def test_too_many_clips_are_capped_with_a_message(studio, tmp_path, read):
    path = studio.film(tmp_path / "v.mp4", 100)
    with DecodePool(1, Limits(max_clips=5)) as small:
        clips, done = read(path, WindowSegmenter(0.5, 0.25), by=small)
    assert len(clips) == 5
    assert done.code is FileCode.OK_PARTIAL
    assert "limit" in done.message


def test_a_lone_timestamp_does_not_stretch_a_video(studio, read, tmp_path):
    ticks = [*range(49), 10**9]
    path = studio.film(tmp_path / "v.mkv", 50, ticks=ticks, options={"bf": "0"})
    clips, done = read(path, WindowSegmenter())
    assert done.code is FileCode.OK_PARTIAL
    assert done.info.duration == pytest.approx(2.0, abs=0.05)
    assert len(clips) == 1


def test_the_second_of_two_streams_is_read_where_the_first_is_broken(studio, read, tmp_path):
    import av

    good = studio.film(tmp_path / "good.mp4", 30)
    path = tmp_path / "two.mkv"
    with av.open(str(good)) as source, av.open(str(path), "w") as output:
        first = output.add_stream_from_template(source.streams.video[0])
        second = output.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is None:
                continue
            noise = av.Packet(b"\x00\x00\x00\x04\x65" + bytes(100))
            noise.pts, noise.dts, noise.time_base = packet.pts, packet.dts, packet.time_base
            noise.stream = first
            output.mux(noise)
            packet.stream = second
            output.mux(packet)
    clips, done = read(path, sampler=UniformSampler(30))
    assert done.code.has_clips
    assert numbers(studio, clips[0].frames) == list(range(30))


def test_probing_tells_the_facts(studio, pool, tmp_path):
    path = studio.film(
        tmp_path / "v.mp4", 50, sound=1.0, metadata={"creation_time": "2021-05-26T13:12:35Z"}
    )
    info = pool.probe(path)
    assert (info.width, info.height, info.frames, info.codec) == (160, 96, 50, "h264")
    assert info.duration == pytest.approx(2.0, abs=0.05)
    assert info.has_sound
    assert info.created is not None
    assert info.created.startswith("2021-05-26T13:12:35")


def test_frames_that_nothing_depends_on_are_skipped_bit_exactly(studio, read, tmp_path, pool):
    options = {"bf": "3", "b-pyramid": "none", "g": "20", "preset": "veryfast"}
    path = studio.film(tmp_path / "v.mp4", 60, options=options)
    everything = read(path, sampler=UniformSampler(60))[0][0].frames
    assert numbers(studio, everything) == list(range(60))
    for count in (1, 5, 7, 11):
        few = read(path, sampler=UniformSampler(count))[0][0].frames
        at = np.rint(few.times * 25).astype(int)
        assert (few.pixels == everything.pixels[at]).all()
    with_all = read(path, WindowSegmenter(0.6, 0.2), UniformSampler(2))
    assert with_all[1].code is FileCode.OK


def test_large_frames_of_clips_are_reduced_before_they_leave_the_worker(
    studio, read, pool, tmp_path
):
    path = studio.film(tmp_path / "v.mp4", 3, size=(2560, 1440), options={"preset": "ultrafast"})
    clips, _ = read(path, sampler=UniformSampler(2))
    count, height, width, _ = clips[0].frames.pixels.shape
    assert count == 2
    assert width * height <= 1 << 20
    assert width / height == pytest.approx(16 / 9, abs=0.01)
    assert numbers(studio, clips[0].frames) == [0, 2]
    # What is asked for by itself comes as large as ever.
    assert pool.read_frames_at(path, [0.0]).pixels.shape[1:3] == (1440, 2560)
    small = studio.film(tmp_path / "s.mp4", 3, size=(1280, 720), options={"preset": "ultrafast"})
    assert read(small)[0][0].frames.pixels.shape[1:3] == (720, 1280)


def test_windows_of_one_picture_become_one_clip(studio, read, tmp_path):
    # A screen recorder: one picture for an hour and more, then things happen.
    ticks = [0, *range(4000, 4008)]
    path = studio.film(
        tmp_path / "v.mp4", 9, ticks=ticks, time_base=Fraction(1, 1), options={"bf": "0"}
    )
    clips, done = read(path, WindowSegmenter(), UniformSampler(2))
    assert done.code is FileCode.OK
    assert done.info.duration == pytest.approx(4008, abs=1.1)
    assert clips[0].span.start == 0
    assert 3994 <= clips[0].span.end <= 4000
    assert len(clips) <= 6
    assert clips[-1].span.end == done.info.duration
    assert numbers(studio, clips[0].frames) == [0, 0]
    assert numbers(studio, clips[-1].frames)[0] >= 1
    # Sound may tell the windows apart, and spans that are given stay as they are.
    given = tuple(Span(3 * n, 3 * n + 6) for n in range(8))
    assert len(read(path, GivenSegmenter(given))[0]) == 8


@pytest.mark.parametrize("name", ["v.mp4", "v.mkv"])
def test_a_small_file_that_claims_ten_hours_costs_little(studio, read, tmp_path, name):
    ticks = [1000 * n for n in range(36)]
    path = studio.film(
        tmp_path / name, 36, ticks=ticks, time_base=Fraction(1, 1), options={"bf": "0"}
    )
    assert path.stat().st_size < 30_000
    # A clip whose frames are all shown before its one new picture is no hole.
    clips, done = read(path, WindowSegmenter(), UniformSampler(2))
    assert done.code is FileCode.OK
    assert done.info.duration >= 35_000
    assert len(clips) <= 5 * 36
    spans = [clip.span for clip in clips]
    assert all(a.end > b.start for a, b in pairwise(spans))


@pytest.mark.parametrize("overlap", [1, 2])
def test_folding_keeps_all_that_differs(overlap):
    starts = np.array([0.0, 10.0, 100.0, 101.0, 102.0])
    spans = [(n, Span(n * 6 / overlap, n * 6 / overlap + 6)) for n in range(20 * overlap)]
    folded = fold_stills(spans, starts)
    assert folded[0] == spans[0]
    assert folded[-1][1].end == spans[-1][1].end
    several = [
        each
        for each in spans
        if any(each[1].start < start - 1e-6 and start < each[1].end - 1e-6 for start in starts)
    ]
    assert [each for each in folded if each in several] == several
    long = max((span for _, span in folded), key=lambda span: span.duration)
    assert 10 <= long.start < long.end <= 100
    assert long.duration >= 84 - 6


def test_a_sparse_file_gets_no_more_time_than_what_it_holds(tmp_path):
    path = tmp_path / "v.ts"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    status = path.stat()
    assert _bytes_on_disk(status) < 1 << 20
    assert Limits().scan_limit(_bytes_on_disk(status)) < 61
    assert Limits().scan_limit(status.st_size) > 3600
