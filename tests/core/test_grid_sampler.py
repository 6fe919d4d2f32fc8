from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moviola.core import GridSampler, Span

SECONDS = st.floats(0, 1e4).map(lambda value: round(value, 3))


def test_windows_that_overlap_share_the_times_of_their_common_part():
    sampler = GridSampler(2)
    first, second = (sampler.times(Span(start, start + 6)) for start in (0.0, 3.0))
    assert first.tolist() == [0.25 + 0.5 * k for k in range(12)]
    assert np.array_equal(first[6:], second[:6])


@given(SECONDS, st.floats(0.01, 100), st.sampled_from([0.5, 1.0, 2.0, 3.0, 29.97]))
def test_times_lie_on_the_grid_inside_the_span(start, length, rate):
    span, sampler = Span(start, start + length), GridSampler(rate)
    times = sampler.times(span)
    assert (np.diff(times) > 0).all()
    assert times[0] >= span.start - 1e-6
    assert times[-1] <= span.end + 1e-6
    if len(times) > 1:
        assert np.abs(times * rate % 1 - 0.5).max() < 1e-6
    assert abs(len(times) - length * rate) <= 1 + 1e-6


def test_a_span_between_two_times_gets_its_middle():
    assert GridSampler(2).times(Span(0.3, 0.5)).tolist() == [0.4]


def test_specs_and_refusals():
    assert GridSampler(2).spec == "grid:2"
    assert GridSampler(0.5).spec == "grid:0.5"
    for rate in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="positive rate"):
            GridSampler(rate)
