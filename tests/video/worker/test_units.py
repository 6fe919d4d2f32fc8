"""Long videos are read in units side by side, and come out as if read in one go."""

from __future__ import annotations

import numpy as np
import pytest

from moviola.core import FileCode, GridSampler, Span, UniformSampler
from moviola.video import (
    ClipNamed,
    DecodePool,
    GivenSegmenter,
    PictureRead,
    ReadRequest,
    WholeSegmenter,
    WindowSegmenter,
)
from moviola.video.worker.messages import VideoDone
from moviola.video.worker.units import DividedVideo, Outcome

WINDOWS = WindowSegmenter(2, 1)


def read(path, segmenter=WINDOWS, *, unit_seconds=3.0, workers=2, sampler=None):
    """The clips in order with what became of the file, and in how many units it was read."""
    tasks = []
    with DecodePool(workers) as pool:
        pool.unit_seconds = unit_seconds
        carry_out = pool.carry_out

        def noted(task, *given, **options):
            tasks.append(task.unit)
            return carry_out(task, *given, **options)

        pool.carry_out = noted
        request = ReadRequest("v", path, segmenter, sampler or UniformSampler(5))
        *clips, done = pool.read([request])
    return sorted(clips, key=lambda clip: clip.index), done, sorted(tasks)


def assert_same(found, wanted):
    assert [clip.index for clip in found] == [clip.index for clip in wanted]
    for one, other in zip(found, wanted, strict=True):
        assert one.span == other.span
        assert np.array_equal(one.frames.times, other.frames.times)
        assert np.array_equal(one.frames.pixels, other.frames.pixels)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"bf": "3", "g": "30"},
        {"g": "40", "x264-params": "open-gop=1:bframes=3"},
        {"g": "1000"},
    ],
)
def test_units_give_the_bytes_of_one_go(studio, tmp_path, options):
    path = studio.film(tmp_path / "v.mp4", 325, options=options)
    wanted, done, units = read(path, workers=1)
    assert units == [0]
    assert done.code is FileCode.OK
    found, joined, units = read(path)
    assert units == [0, 1, 2, 3]
    assert_same(found, wanted)
    assert joined == done


@pytest.mark.parametrize("name", ["v.mkv", "v.ts"])
def test_other_containers_too(studio, tmp_path, name):
    path = studio.film(tmp_path / name, 250, options={"g": "25"})
    wanted, done, _ = read(path, workers=1)
    found, joined, _ = read(path)
    assert_same(found, wanted)
    assert joined == done


def test_given_spans_in_any_order(studio, tmp_path):
    path = studio.film(tmp_path / "v.mp4", 250)
    spans = GivenSegmenter((Span(8, 9), Span(0, 9.5), Span(4, 5), Span(4.5, 6)))
    wanted, _, _ = read(path, spans, workers=1)
    found, _, units = read(path, spans)
    assert units == [0, 1, 2]
    assert_same(found, wanted)


def test_pictures_of_units_have_numbers_of_their_own(studio, tmp_path):
    path = studio.film(tmp_path / "v.mp4", 250)
    with DecodePool(2) as pool:
        pool.unit_seconds = 3.0
        events = list(pool.read_pictures([ReadRequest("v", path, WINDOWS, GridSampler(2))]))
    numbers = [event.number for event in events if isinstance(event, PictureRead)]
    assert len(numbers) == len(set(numbers))
    named = {n for event in events if isinstance(event, ClipNamed) for n in event.pictures}
    assert named == set(numbers)


def test_short_videos_and_policies_that_decode_are_read_in_one_go(studio, tmp_path):
    path = studio.film(tmp_path / "v.mp4", 250)
    assert read(path, unit_seconds=600)[2] == [0]
    assert read(path, WholeSegmenter())[2] == [0]


def test_a_damaged_file_comes_out_alike(studio, tmp_path):
    path = studio.film(tmp_path / "v.mkv", 250, options={"g": "25"})
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    found, joined, _ = read(path)
    wanted, done, _ = read(path, workers=1)
    assert joined == done
    assert_same(found, wanted)


def ended(code, parts=1, message=""):
    return Outcome(code, message, None, parts)


@pytest.mark.parametrize(
    ("codes", "clips", "wanted"),
    [
        ([FileCode.OK, FileCode.OK], [2, 2], FileCode.OK),
        ([FileCode.OK, FileCode.OK_PARTIAL], [2, 2], FileCode.OK_PARTIAL),
        ([FileCode.OK, FileCode.CORRUPT], [2, 0], FileCode.OK_PARTIAL),
        ([FileCode.TRUNCATED, FileCode.CORRUPT], [0, 0], FileCode.TRUNCATED),
        ([FileCode.OK, FileCode.DECODER_CRASH], [2, 1], FileCode.DECODER_CRASH),
        ([FileCode.CORRUPT, FileCode.TIMEOUT], [0, 1], FileCode.TIMEOUT),
    ],
)
def test_how_units_ended_is_joined(codes, clips, wanted):
    video = DividedVideo(ReadRequest("v", None, WINDOWS, UniformSampler(1)))
    assert len(video.divide(len(codes))) == len(codes) - 1
    assert video.divide(len(codes)) == []  # told again by a second attempt
    results = [
        video.end(number, ended(code), count)
        for number, (code, count) in enumerate(zip(codes, clips, strict=True))
    ]
    assert results[:-1] == [None] * (len(codes) - 1)
    assert isinstance(results[-1], VideoDone)
    assert (results[-1].code, results[-1].clips) == (wanted, sum(clips))
