from __future__ import annotations

import numpy as np
import pytest
import torch

from moviola.core import Span
from moviola.encode.chat.qwen2_5 import sampled_rate
from moviola.encode.chat.qwen3 import fit_clip
from moviola.encode.chat.sampling import CentringSampler, SpreadingSampler, SteppingSampler

SAMPLERS = [SteppingSampler(), SteppingSampler(1.0, 180, 1), SpreadingSampler(), CentringSampler()]


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda sampler: sampler.spec)
@pytest.mark.parametrize("total", [1, 2, 3, 5, 7, 75, 1000])
def test_frames_are_those_of_the_file_in_order(sampler, total):
    numbers = sampler.numbers(total, 25.0)
    assert len(numbers) >= 1
    assert numbers.min() >= 0
    assert numbers.max() < total
    assert (np.diff(numbers) > 0).all()
    shown = 3.0 + np.arange(total) / 25
    chosen = sampler.choose(Span(3.0, 3.0 + total / 25), shown)
    np.testing.assert_array_equal(chosen, shown[numbers])


def test_steps_are_those_of_torch():
    for total in range(4, 400):
        numbers = SteppingSampler().numbers(total, 30.0)
        wanted = torch.arange(0, total, total / len(numbers)).int()[: len(numbers)]
        assert numbers.tolist() == wanted.tolist()


@pytest.mark.parametrize("rate", [24.0, 25.0, 30000 / 1001, 60.0])
def test_the_rate_of_samples_is_recovered_from_their_times(rate):
    for total in range(40, 400, 7):
        numbers = SteppingSampler().numbers(total, rate)
        found = sampled_rate(5.0 + numbers / rate)
        # A file that is one frame longer may give the same frames.
        assert found == pytest.approx(len(numbers) / total * rate, rel=1.01 / (total - 1))


def test_settings_that_choose_nothing_are_refused():
    for make in (
        lambda: SteppingSampler(0.0),
        lambda: SteppingSampler(2.0, 1),
        lambda: SpreadingSampler(-1.0),
        lambda: CentringSampler(0),
    ):
        with pytest.raises(ValueError, match="fps above 0"):
            make()


def test_a_long_clip_shares_its_pixels_among_its_frames():
    one, many = (fit_clip(count, (720, 1280), 32, 4096, 25_165_824) for count in (2, 180))
    assert one == (704, 1280)
    assert 180 * many[0] * many[1] <= 25_165_824
    assert min(fit_clip(2, (10, 10), 32, 4096, 25_165_824)) >= 32
    with pytest.raises(ValueError, match="too narrow"):
        fit_clip(2, (1, 300), 32, 4096, 25_165_824)
