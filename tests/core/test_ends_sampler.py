from __future__ import annotations

import numpy as np
import pytest

from moviola.core import EndsSampler, Span
from moviola.core.abilities import Chooses


def theirs(n_source: int, target: int) -> list[int]:
    """`frame_indices` of mteb 2.26.24, in its own words."""
    if n_source < target:
        return [i * n_source // target for i in range(target)]
    return [int(i) for i in np.linspace(0, n_source - 1, target).round()]


@pytest.mark.parametrize("count", [1, 2, 8, 16])
def test_the_frames_are_those_that_mteb_chooses(count):
    sampler = EndsSampler(count)
    assert isinstance(sampler, Chooses)
    for frames in range(1, 60):
        shown = np.arange(frames) / 12.0
        wanted = shown[theirs(frames, count)]
        np.testing.assert_array_equal(sampler.choose(Span(0, 5), shown), wanted)


def test_its_times_lie_inside_the_span():
    span = Span(2.0, 4.5)
    times = EndsSampler(8).times(span)
    assert times.shape == (8,)
    assert times[0] == span.start
    assert (np.diff(times) > 0).all()
    assert times[-1] < span.end
    with pytest.raises(ValueError, match="at least one frame"):
        EndsSampler(0)
