"""Frames from anywhere equal those that decoding from the start gives; films; pictures."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np
import pytest

from moviola.core import FileCode, FileIdentity, Span, VideoUnreadableError
from moviola.video import (
    DecodePool,
    Limits,
    make_film,
    read_frames_near,
    read_picture,
    read_play_facts,
)
from moviola.video.decode.opening import EXPECTED, check_file, open_container


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("long.mp4", "libx264", {"g": "250", "bf": "3"}),
        ("long.mkv", "libx265", {"g": "60", "x265-params": "log-level=none"}),
        ("long.ts", "libx264", {"g": "50", "bf": "2"}),
        ("long.avi", "mpeg4", {"g": "50"}),
        ("long.webm", "libvpx", {"g": "40", "deadline": "realtime", "cpu-used": "8"}),
    ],
)
def test_frames_from_anywhere_equal_those_from_the_start(
    tmp_path, studio, pool, *, name, codec, options
):
    path = studio.film(tmp_path / name, 255, codec=codec, options=options)
    for start in (0.0, 0.02, 1.99, 4.0, 7.5, 10.0, 99.0):
        times = [start, start + 0.2]
        wanted = pool.read_frames_at(path, times)
        found = read_frames_near(pool, path, times, longest=1000)
        assert found.times == pytest.approx(wanted.times, abs=1e-6)
        numbers = [studio.number_of(picture) for picture in found.pixels]
        assert numbers == [studio.number_of(picture) for picture in wanted.pixels]


@pytest.mark.shared
def test_real_files_too(shared_data, pool):
    asked = 0
    for path in sorted((shared_data / "videos").rglob("*.*")):
        # What a damaged file shows near the damage depends on where decoding began.
        if path.stat().st_size > 5_000_000 or path.name == "corrupted.mp4":
            continue
        try:
            info = pool.probe(path)
        except VideoUnreadableError:
            continue
        if info.width * info.height > 1_000_000:
            continue
        times = [info.duration * 0.6, min(info.duration * 0.6 + 0.3, info.duration)]
        wanted = pool.read_frames_at(path, times)
        found = read_frames_near(pool, path, times, longest=100)
        assert found.times == pytest.approx(wanted.times, abs=1e-3), path.name
        asked += 1
    assert asked > 20


def test_pictures_are_as_small_as_asked(tmp_path, studio, pool):
    path = studio.film(tmp_path / "a.mp4", 10, size=(320, 180))
    found = read_frames_near(pool, path, [0.1], longest=80)
    assert found.pixels.shape[1:] == (44, 80, 3)


def film(pool, path, span, **options) -> bytes:
    pieces: list[bytes] = []
    make_film(pool, path, span, pieces.append, **{"lines": 720, "swift": True, **options})
    return b"".join(pieces)


def test_a_film_shows_the_same_frames_at_the_same_times(tmp_path, studio, pool):
    ticks = np.cumsum([1, 9] * 60).tolist()  # 10 and 90 ms: a variable rate
    path = studio.film(tmp_path / "a.mp4", 120, ticks=ticks, time_base=Fraction(1, 100))
    span = Span(2.0, 4.0)
    with av.open(io.BytesIO(film(pool, path, span, swift=False))) as made:
        frames = [
            (float(frame.pts * frame.time_base), studio.number_of(frame.to_ndarray(format="rgb24")))
            for frame in made.decode(video=0)
        ]
    # Near the start of the file its first tick counts as zero.
    shown = {number: (tick - ticks[0]) / 100 for number, tick in enumerate(ticks)}
    assert frames[0][0] == 0
    assert shown[frames[0][1]] <= span.start
    for time, number in frames[1:-1]:
        assert time == pytest.approx(shown[number] - span.start, abs=1e-4)
    assert frames[-1][0] < 2.0


def test_a_film_is_upright_with_even_sides_and_few_lines(tmp_path, studio, pool):
    path = studio.film(tmp_path / "a.mp4", 10, size=(322, 182))
    with av.open(io.BytesIO(film(pool, path, Span(0, 0.4), lines=91))) as made:
        context = made.streams.video[0].codec_context
        assert (context.width % 2, context.height % 2) == (0, 0)
        assert context.height <= 91
        assert context.width / context.height == pytest.approx(322 / 182, rel=0.05)


def test_a_span_after_the_end_has_no_film(tmp_path, studio, pool):
    path = studio.film(tmp_path / "a.mp4", 10)
    made = film(pool, path, Span(50.0, 51.0))  # the last frame stands for what comes after
    assert made
    with pytest.raises(VideoUnreadableError):
        film(pool, tmp_path / "gone.mp4", Span(0, 1))


def test_facts_for_a_player(tmp_path, studio, pool):
    path = studio.film(tmp_path / "a.mp4", 5, sound=0.2, metadata={"title": "<b>x"})
    facts = read_play_facts(pool, path)
    assert (facts.codec, facts.pixels, facts.bits) == ("h264", "yuv420p", 8)
    assert (facts.sound, facts.title) == ("aac", "<b>x")
    deep = studio.film(
        tmp_path / "b.mkv",
        5,
        codec="libx265",
        pix_fmt="yuv420p10le",
        options={"x265-params": "log-level=none"},
    )
    facts = read_play_facts(pool, deep)
    assert (facts.codec, facts.bits, facts.sound, facts.title) == ("hevc", 10, None, "")


def test_a_picture_is_turned_upright_and_put_on_white(tmp_path, pool):
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn to the right
    Image.new("RGB", (40, 20), "red").save(tmp_path / "a.jpg", exif=exif)
    found = read_picture(pool, tmp_path / "a.jpg", most_pixels=10_000, longest=100)
    assert found.pixels.shape == (1, 40, 20, 3)
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(tmp_path / "b.png")
    clear = read_picture(pool, tmp_path / "b.png", most_pixels=10_000, longest=100)
    assert (clear.pixels == 255).all()


def test_a_picture_beyond_the_limit_is_refused(tmp_path, pool):
    from PIL import Image

    Image.new("L", (101, 100)).save(tmp_path / "a.png")
    with pytest.raises(VideoUnreadableError, match="101x100") as told:
        read_picture(pool, tmp_path / "a.png", most_pixels=10_000, longest=100)
    assert told.value.code is FileCode.TOO_LARGE


def test_a_file_in_another_state_than_expected_is_refused_even_while_it_is_opened(studio, tmp_path):
    path, other = studio.film(tmp_path / "v.mp4", 4), studio.film(tmp_path / "w.mp4", 8)
    identity = FileIdentity.of(path.stat())
    with DecodePool(1, Limits()) as pool:
        assert len(read_frames_near(pool, path, [0.0], longest=64, expected=identity)) == 1
        other.replace(path)
        with pytest.raises(VideoUnreadableError) as caught:
            read_frames_near(pool, path, [0.0], longest=64, expected=identity)
        assert caught.value.code is FileCode.CHANGED_WHILE_READING


def test_what_takes_a_name_after_it_was_looked_at_is_not_read(studio, tmp_path):
    path, other = studio.film(tmp_path / "v.mp4", 4), studio.film(tmp_path / "w.mp4", 8)
    before = FileIdentity.of(check_file(path))
    other.replace(path)
    token = EXPECTED.set(before)
    try:
        with pytest.raises(VideoUnreadableError) as caught:
            open_container(path, Limits())
    finally:
        EXPECTED.reset(token)
    assert caught.value.code is FileCode.CHANGED_WHILE_READING
