"""Dates and lines of videos, and what a fact that is unknown means."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from moviola.core import FileCode, VideoInfo
from moviola.library import VideoFilter, VideoName, VideoRecord

DAY = 86_400 * 10**9
INFO = VideoInfo(9.0, 1080, 1920, 225, "h264", "mov", has_sound=True)


def record(created: str | None = None, *, days: int = 365, info: VideoInfo | None = INFO):
    name = VideoName(Path("/v/a.mp4"), Path("/v"), days * DAY, 1)
    known = replace(info, created=created) if info else None
    return VideoRecord("a", (name,), FileCode.OK, info=known, clips=1)


@pytest.mark.parametrize(
    ("created", "wanted"),
    [
        ("2024-05-01T12:00:00Z", date(2024, 5, 1)),
        ("2024-05-01T23:30:00-05:00", date(2024, 5, 2)),
        ("2024-05-01T12:00:00", date(2024, 5, 1)),
        ("1904-01-01T00:00:00Z", date(1971, 1, 1)),
        ("1970-01-01T00:00:00Z", date(1971, 1, 1)),
        (None, date(1971, 1, 1)),
    ],
)
def test_the_day_a_video_was_made(created, wanted):
    assert record(created).date == wanted


def test_days_are_inclusive():
    made = record("2024-05-01T12:00:00Z")
    day = date(2024, 5, 1)
    assert VideoFilter(since=day, until=day).admits(made)
    assert not VideoFilter(since=date(2024, 5, 2)).admits(made)
    assert not VideoFilter(until=date(2024, 4, 30)).admits(made)


@pytest.mark.parametrize(("lines", "admitted"), [(720, True), (1080, True), (1081, False)])
def test_lines_are_of_the_shorter_side(lines, admitted):
    assert VideoFilter(least_lines=lines).admits(record()) is admitted


def test_what_is_not_known_passes_no_filter_on_it():
    unknown = record(info=None)
    assert VideoFilter(below=Path("/v")).admits(unknown)
    assert not VideoFilter(least_lines=1).admits(unknown)
    assert not VideoFilter(shortest=0).admits(unknown)
    assert not VideoFilter(has_sound=False).admits(unknown)


def test_some_can_be_left_out():
    assert not VideoFilter(without=frozenset("a")).admits(record())
