from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moviola.core import Span, VideoInfo
from moviola.video import GivenSegmenter, WholeSegmenter, WindowSegmenter, parse_segmenter
from moviola.video.decode.reading import clamp

NOWHERE = Path("nowhere.mp4")


def info(duration: float) -> VideoInfo:
    return VideoInfo(duration, 16, 16, 10, "h264", "mp4", has_sound=False)


lengths = st.floats(0.5, 60)


@settings(deadline=None)
@given(st.floats(0.01, 200), lengths, st.floats(0.05, 1))
def test_windows_cover_the_video_without_gap_or_copy(duration, length, share):
    step = length * share
    spans = WindowSegmenter(length, step).segment(NOWHERE, info(duration))
    assert spans[0].start == 0
    assert spans[-1].end == duration
    for before, after in pairwise(spans):
        assert before.start < after.start <= before.end + 1e-9
        assert before.end < after.end
        # the last window is no copy of the one before
        assert after.end - before.end > 0.0499 * step
    for span in spans[:-1]:
        assert span.duration == pytest.approx(length)
    assert spans[-1].duration <= length + 0.0501 * step
    if duration >= length:
        assert spans[-1].duration >= length - 1e-6


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        (2.0, [(0, 2)]),
        (6.0, [(0, 6)]),
        (6.04, [(0, 6.04)]),
        (7.5, [(0, 6), (1.5, 7.5)]),
        (9.0, [(0, 6), (3, 9)]),
        (10.0, [(0, 6), (3, 9), (4, 10)]),
        (11.95, [(0, 6), (3, 9), (5.95, 11.95)]),
        (12.05, [(0, 6), (3, 9), (6, 12.05)]),
    ],
)
def test_the_default_windows(duration, expected):
    spans = WindowSegmenter().segment(NOWHERE, info(duration))
    assert [(span.start, span.end) for span in spans] == [
        (pytest.approx(start), pytest.approx(end)) for start, end in expected
    ]


def test_a_claimed_duration_of_ages_does_not_exhaust_memory():
    assert len(WindowSegmenter(0.2, 0.1).segment(NOWHERE, info(2.0**31))) <= 100_002


@pytest.mark.parametrize(("length", "step"), [(6, 0), (6, 7), (0, 0), (-1, 1), (float("nan"), 1)])
def test_windows_that_leave_gaps_are_refused(length, step):
    with pytest.raises(ValueError, match="step"):
        WindowSegmenter(length, step)


def test_the_whole_is_one_clip():
    assert WholeSegmenter().segment(NOWHERE, info(7)) == [Span(0, 7)]


def test_given_spans_keep_their_order_and_need_one():
    spans = (Span(5, 8), Span(1, 2))
    assert GivenSegmenter(spans).segment(NOWHERE, info(9)) == list(spans)
    assert GivenSegmenter(spans).spec == "given:5-8,1-2"
    with pytest.raises(ValueError, match="at least one"):
        GivenSegmenter(())


@pytest.mark.parametrize(
    "spec", ["windows:6/3", "windows:2.5/0.5", "windows:10/10", "whole", "shots", "shots:2.5"]
)
def test_specs_round_trip(spec):
    if spec.startswith("shots"):
        pytest.importorskip("scenedetect")
    assert parse_segmenter(spec).spec == spec


def test_specs_have_one_spelling():
    assert parse_segmenter(" Windows ").spec == "windows:6/3"
    assert parse_segmenter("windows:6.0/3.").spec == "windows:6/3"


@pytest.mark.parametrize(
    "spec", ["", "window", "windows:6", "windows:6/0", "windows:6/x", "whole:2", "shots:x"]
)
def test_other_specs_are_refused_with_the_forms(spec):
    with pytest.raises(ValueError, match=r"windows|step"):
        parse_segmenter(spec)


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0.1, 50)), max_size=8), st.floats(0.1, 120))
def test_clamping_keeps_what_lies_inside(pairs, duration):
    spans = [Span(start, start + length) for start, length in pairs]
    kept = dict(clamp(spans, duration))
    for index, span in enumerate(spans):
        if span.start < duration:
            assert kept[index] == Span(span.start, min(span.end, duration))
        else:
            assert index not in kept
