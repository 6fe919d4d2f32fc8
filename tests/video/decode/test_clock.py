"""Times are told from what files say, whichever way PyAV writes that they say nothing."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from av.stream import Disposition

from moviola.video.decode.clock import clock_zero, continuous, seconds_of

# PyAV 18 writes an unknown rational as None, PyAV 19 as zero.
NOTHING = Disposition(0)
UNKNOWN = [None, Fraction(0)]


def stream(start, base=Fraction(1, 10), codec=True, disposition=NOTHING):
    return SimpleNamespace(
        start_time=start,
        time_base=base,
        codec_context=SimpleNamespace() if codec else None,
        disposition=disposition,
    )


def container(videos, sounds=()):
    return SimpleNamespace(streams=SimpleNamespace(video=videos, audio=sounds))


@pytest.mark.parametrize("base", UNKNOWN)
def test_a_stamp_without_a_time_base_is_no_time(base):
    assert seconds_of(SimpleNamespace(pts=5, time_base=base)) is None
    assert clock_zero(container([stream(50, base)], [stream(70)])) == 7.0
    assert clock_zero(container([stream(50, base)])) == 0.0


def test_a_stamp_is_a_number_of_ticks():
    assert seconds_of(SimpleNamespace(pts=None, time_base=Fraction(1, 25))) is None
    assert seconds_of(SimpleNamespace(pts=0, time_base=Fraction(1, 25))) == 0.0
    assert seconds_of(SimpleNamespace(pts=-5, time_base=Fraction(1, 25))) == -0.2


def test_zero_is_the_earliest_start_that_counts():
    cover = stream(-900, disposition=Disposition.attached_pic)
    unknown = stream(-900, codec=False)
    assert clock_zero(container([stream(30), cover, unknown], [stream(20)])) == 2.0
    assert clock_zero(container([stream(30)], [stream(20)]), first=1.0) == 1.0
    # A start hours before the first picture is a broken clock.
    assert clock_zero(container([stream(-90_000)], [stream(20)]), first=5.0) == 2.0


def test_the_part_with_most_pictures_goes_on():
    times = np.array([0.0, 1.0, 9000.0, 9001.0, 9002.0])
    np.testing.assert_array_equal(continuous(times), times[2:])
    np.testing.assert_array_equal(continuous(times[:2]), times[:2])
