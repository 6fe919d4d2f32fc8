from __future__ import annotations

import numpy as np
import pytest

from moviola.core import EndsRateSampler, EndsSampler, Span
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


@pytest.mark.parametrize(("rate", "most", "least"), [(2.0, 64, 1), (1.0, 64, 4), (2.0, 6, 1)])
def test_a_rate_is_that_of_mteb(rate, most, least):
    sampler = EndsRateSampler(rate, most, least)
    assert isinstance(sampler, Chooses)
    for frames in range(1, 120):
        shown, seconds = np.arange(frames) / 12.0, frames / 12.0
        target = min(max(least, int(seconds * rate)), most, frames)
        wanted = shown[theirs(frames, target)]
        np.testing.assert_array_equal(sampler.choose(Span(0, seconds), shown), wanted)
    assert sampler.spec == f"ends:{rate:g} a second/{least}-{most}"


@pytest.mark.parametrize("settings", [(0.0, 64, 1), (1.0, 2, 4), (1.0, 64, 0)])
def test_a_rate_without_frames_is_refused(settings):
    with pytest.raises(ValueError, match="positive rate and limits"):
        EndsRateSampler(*settings)
