from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moviola.core import LeftSampler, PictureSize, Span, UniformSampler, wanted_size
from moviola.encode.video_llama.vision.frames import frame_indices


@given(frames=st.integers(1, 5000), count=st.sampled_from([1, 2, 4, 8, 16, 32]))
def test_frames_are_those_that_the_original_takes_by_their_numbers(frames, count):
    sampler = LeftSampler(count)
    shown = np.arange(frames) / 25
    chosen = sampler.choose(Span(0.0, frames / 25), shown)
    assert np.rint(chosen * 25).astype(int).tolist() == frame_indices(frames, count)


@given(frames=st.integers(8, 5000), rate=st.sampled_from([10.0, 24.0, 29.97, 60.0]))
def test_times_mean_the_same_frames_at_a_constant_rate(frames, rate):
    times = LeftSampler(8).times(Span(0.0, frames / rate))
    # As a reader does: the last frame that begins no later, with a microsecond of grace.
    shown = np.searchsorted(np.arange(frames) / rate, times + 1e-6, side="right") - 1
    assert shown.tolist() == frame_indices(frames, 8)


def test_times_lie_inside_the_span():
    times = LeftSampler(4).times(Span(2.0, 6.0))
    assert times.tolist() == [2.0, 3.0, 4.0, 5.0]


def test_a_size_is_a_part_of_the_sampling():
    sampler = LeftSampler(8, PictureSize(224, 224))
    assert sampler.spec == "left:8 scale:224x224:bilinear"
    assert LeftSampler(8).spec == "left:8"
    assert wanted_size(sampler) == PictureSize(224, 224)
    assert wanted_size(UniformSampler(8)) is None
    assert pickle.loads(pickle.dumps(sampler)) == sampler  # noqa: S301 - our own


def test_impossible_wishes_are_refused():
    with pytest.raises(ValueError, match="1 to 4096 pixels"):
        PictureSize(0, 224)
    with pytest.raises(ValueError, match="at least one frame"):
        LeftSampler(0)
