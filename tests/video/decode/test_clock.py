"""Times are told from what files say, whichever way PyAV writes that they say nothing."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from moviola.video.decode.clock import (
    LONGEST_GAP,
    continuous,
    longest_gap,
    may_jump,
    seconds_of,
    zero_of,
)

# PyAV 18 writes an unknown rational as None, PyAV 19 as zero.
UNKNOWN = [None, Fraction(0)]


def starting(start, base=Fraction(1, 10)):
    return SimpleNamespace(start_time=start, time_base=base)


@pytest.mark.parametrize("base", UNKNOWN)
def test_a_stamp_without_a_time_base_is_no_time(base):
    assert seconds_of(SimpleNamespace(pts=5, time_base=base)) is None
    assert zero_of(None, [starting(50, base), starting(70)]) == 7.0
    assert zero_of(None, [starting(50, base)]) == 0.0


def test_a_stamp_is_a_number_of_ticks():
    assert seconds_of(SimpleNamespace(pts=None, time_base=Fraction(1, 25))) is None
    assert seconds_of(SimpleNamespace(pts=0, time_base=Fraction(1, 25))) == 0.0
    assert seconds_of(SimpleNamespace(pts=-5, time_base=Fraction(1, 25))) == -0.2


def test_zero_is_the_earliest_start_that_counts():
    assert zero_of(None, [starting(30), starting(20), starting(None)]) == 2.0
    assert zero_of(1.0, [starting(30), starting(20)]) == 1.0
    assert zero_of(-1.5, [starting(0)]) == -1.5
    # A start hours before the first picture is a broken clock.
    assert zero_of(5.0, [starting(-90_000), starting(20)]) == 2.0


def test_the_part_with_most_pictures_goes_on():
    times = np.array([0.0, 1.0, 9000.0, 9001.0, 9002.0])
    np.testing.assert_array_equal(continuous(times, LONGEST_GAP), times[2:])
    np.testing.assert_array_equal(continuous(times[:2], LONGEST_GAP), times[:2])
    np.testing.assert_array_equal(continuous(times, 8999.0), times)


def test_only_headers_that_say_how_long_all_lasts_vouch_for_an_hour_of_nothing():
    film = SimpleNamespace(format=SimpleNamespace(name="mov,mp4,m4a,3gp,3g2,mj2"), duration=4008e6)
    stream = SimpleNamespace(format=SimpleNamespace(name="mpegts"), duration=4008e6)
    assert longest_gap(film) == 24 * 3600
    assert longest_gap(stream) == 3600
    assert not may_jump(film)
    assert may_jump(stream)
    stream.duration = 3599e6
    assert not may_jump(stream)
    stream.duration = None
    assert not may_jump(stream)
