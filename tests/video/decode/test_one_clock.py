"""The picture that is read in order and the one that is found by seeking are the same, everywhere.

Over containers, start offsets, frames out of order and gaps: what is indexed at a time is what a
poster, a preview and a cut show of that time.
"""

from __future__ import annotations

import io
from contextlib import closing
from fractions import Fraction
from itertools import product

import av
import numpy as np
import pytest

from moviola.core import Span
from moviola.video import Limits
from moviola.video.decode.opening import open_container
from moviola.video.decode.probing import survey
from moviola.video.decode.reading import frames_at, frames_of
from moviola.video.decode.seeking import find_clock, frames_near
from moviola.video.decode.streams import Damage
from moviola.video.decode.transcode import transcode

LIMITS = Limits()
COUNT = 120
SIZE = (96, 48)

CODECS = {
    "v.mp4": "libx264",
    "v.mov": "libx264",
    "v.mkv": "libx264",
    "v.flv": "libx264",
    "v.ts": "libx264",
    "m2.ts": "mpeg2video",
    "v.mpg": "mpeg2video",
    "v.vob": "mpeg2video",
    "m1.mpg": "mpeg1video",
    "v.m2v": "mpeg2video",
    "v.m1v": "mpeg1video",
    "v.avi": "mpeg4",
    "h264.avi": "libx264",
    "v.asf": "mpeg4",
    "v.webm": "libvpx",
}
#: Seconds of the first picture by the muxer's clock.
OFFSETS = {"zero": 0.0, "late": 37.0, "early": -1.0}
#: After which pictures how many frames are missing.
GAPS = {"even": {}, "gap": {50: 100, 51: 3}}
#: What has no clock of its own counts on, so that a gap cannot be written.
CLOCKLESS = {"v.m2v", "v.m1v", "v.avi", "h264.avi"}
#: Muxers that cut off what lies before zero, or do not say its time.
HIDING = {"v.mp4", "v.mov", "v.mkv"}
#: Containers whose times FFmpeg counts on from the last that it saw.
COUNTED = {"v.mpg", "v.vob", "m1.mpg"}
NO_EARLY = {"v.flv", "v.asf", "v.webm", "v.ts", "m2.ts"}


def cases():
    for name, offset, order, gaps in product(CODECS, OFFSETS, (0, 2), GAPS):
        if order and CODECS[name] == "libvpx":
            continue
        if name in CLOCKLESS and (gaps != "even" or offset != "zero"):
            continue
        if offset == "early" and name in NO_EARLY:
            continue
        yield pytest.param((name, offset, order, gaps), id=f"{name}-{offset}-bf{order}-{gaps}")


def make(studio, folder, case):
    name, offset, order, gaps = case
    at = round(OFFSETS[offset] * 25)
    ticks = []
    for number in range(COUNT):
        ticks.append(at)
        at += 1 + GAPS[gaps].get(number, 0)
    muxing = {"avoid_negative_ts": "disabled"} if offset == "early" else {}
    options = {"g": "12"} | ({"bf": str(order)} if order else {})
    codec = CODECS[name]
    if codec == "libx264":
        options |= {"preset": "ultrafast", "bf": str(order), "x264-params": "open-gop=1"}
    return studio.film(
        folder / name, COUNT, codec=codec, ticks=ticks, options=options, muxing=muxing, size=SIZE
    )


def read_in_order(studio, path):
    found = survey(path, LIMITS, opened=open_container(path, LIMITS))
    with closing(frames_of(path, found, LIMITS, Damage())) as frames:
        shown = [
            (time, studio.number_of(frame.to_ndarray(format="rgb24"))) for time, frame in frames
        ]
    return found, shown


@pytest.mark.parametrize("case", list(cases()))
def test_seeking_finds_what_reading_in_order_found(studio, tmp_path, case):
    name, offset, _, _ = case
    path = make(studio, tmp_path, case)
    found, shown = read_in_order(studio, path)
    numbers = [number for _, number in shown]
    # Muxers hide what lies before zero. FFmpeg may count two pictures of a program stream to one
    # time; then one of them is not shown.
    hidden = 25 if offset == "early" and name in HIDING else 0
    assert numbers == sorted(set(numbers))
    assert numbers[0] == hidden
    assert len(numbers) >= COUNT - hidden - (name in COUNTED)
    clock = find_clock(path, LIMITS)
    assert (clock.stream, clock.zero) == (found.stream, found.origin)
    places = sorted({*range(1, len(shown) - 1, 9), *range(24, 29), *range(49, 54)})
    times = [(shown[place][0] + shown[place + 1][0]) / 2 for place in places]
    for place, time in zip(places, times, strict=True):
        (picture,), (began,) = frames_near(path, (time,), LIMITS, longest=96)
        assert studio.number_of(picture) == numbers[place], time
        assert began == pytest.approx(shown[place][0], abs=1e-6)
    pictures, _ = frames_at(path, found, times, LIMITS)
    assert [studio.number_of(picture) for picture in pictures] == [numbers[at] for at in places]


@pytest.mark.parametrize("order", [0, 2])
@pytest.mark.parametrize("name", ["v.m2v", "v.m1v"])
def test_an_elementary_stream_counts_every_picture_once(studio, tmp_path, name, order):
    _, shown = read_in_order(studio, make(studio, tmp_path, (name, "zero", order, "even")))
    assert [number for _, number in shown] == list(range(COUNT))
    assert np.allclose([time for time, _ in shown], np.arange(COUNT) / 25, atol=1e-5)


@pytest.mark.parametrize("name", CODECS)
def test_a_cut_begins_with_the_picture_of_its_start(studio, tmp_path, name):
    path = make(studio, tmp_path, (name, "zero", 2 if "x264" in CODECS[name] else 0, "even"))
    _, shown = read_in_order(studio, path)
    for place in (5, 62, 97):
        number = shown[place][1]
        time = (shown[place][0] + shown[place + 1][0]) / 2
        made = transcode(path, Span(time, time + 0.5), LIMITS, lines=48, swift=True)
        with av.open(io.BytesIO(made)) as cut:
            first = next(cut.decode(cut.streams.video[0]))
            assert studio.number_of(first.to_ndarray(format="rgb24")) == number


def test_a_transport_stream_whose_clock_wraps_early_on(studio, tmp_path):
    first = 2**33 - 90_000
    path = studio.film(
        tmp_path / "v.ts",
        COUNT,
        ticks=[first + 3600 * n for n in range(COUNT)],
        time_base=Fraction(1, 90_000),
        options={"bf": "2", "g": "12"},
        muxing={"mpegts_copyts": "1"},
        size=SIZE,
    )
    found, shown = read_in_order(studio, path)
    assert find_clock(path, LIMITS).zero == found.origin
    for number in (3, 30, 62, 110):
        pictures, _ = frames_near(path, (shown[number][0] + 0.02,), LIMITS, longest=96)
        assert studio.number_of(pictures[0]) == number
    assert np.allclose([time for time, _ in shown], np.arange(COUNT) / 25, atol=1e-3)


@pytest.mark.parametrize("codec", ["mjpeg", "libx264"])
@pytest.mark.parametrize("name", ["v.mkv", "v.mp4"])
def test_a_cover_that_is_an_ordinary_first_track_is_not_the_film(studio, tmp_path, name, codec):
    path = tmp_path / name
    with av.open(str(path), "w") as output:
        tracks = [output.add_stream(codec, rate=25), output.add_stream("libx264", rate=25)]
        for track, pix_fmt in zip(tracks, ("yuvj420p", "yuv420p"), strict=True):
            track.width, track.height, track.pix_fmt = *SIZE, pix_fmt
            track.time_base = track.codec_context.time_base = Fraction(1, 25)
        tracks[0].disposition = av.stream.Disposition.default
        for number in range(-1, 50):
            track = tracks[min(number + 1, 1)]
            gray = studio.numbered(200 if number < 0 else number, *SIZE)
            frame = av.VideoFrame.from_ndarray(np.repeat(gray[:, :, None], 3, axis=2), "rgb24")
            frame = frame.reformat(format=track.pix_fmt)
            frame.pts, frame.time_base = max(number, 0), Fraction(1, 25)
            output.mux(track.encode(frame))
        for track in tracks:
            output.mux(track.encode())
    found, shown = read_in_order(studio, path)
    assert found.stream == 1
    assert found.info.duration == pytest.approx(2.0, abs=0.05)
    assert [number for _, number in shown] == list(range(50))
    assert find_clock(path, LIMITS).stream == 1
    (picture,), _ = frames_near(path, (1.02,), LIMITS, longest=96)
    assert studio.number_of(picture) == 25
