from __future__ import annotations

import math
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch

from moviola.core import Span
from moviola.encode.qwen_vl.resizing import fit_size
from moviola.encode.qwen_vl.sampling import FileSampler
from moviola.encode.runtime.frame_rates import average_rate, counted_times
from moviola.testing.encoders import check_sampler

WHOLE = Span(0.0, 1e6)


def original(total, rate, fps=1.0, at_most=64):
    """The frame numbers as the specification spells them."""
    wanted = min(max(total / rate * fps, 4), at_most // 2 * 2, total)
    count = max(math.floor(wanted / 2) * 2, 1)
    return torch.linspace(0, total - 1, count).round().long().numpy()


def test_it_keeps_what_samplers_promise():
    check_sampler(FileSampler())


@pytest.mark.parametrize("rate", [10.0, 12.5, 24.0, 25.0, 30.0, 24000 / 1001, 30000 / 1001, 60.0])
@pytest.mark.parametrize("clock", [0.0, 1e-3])
def test_frames_are_those_that_numbers_give(rate, clock):
    for total in (*range(1, 60), 75, 107, 240, 299, 300, 301, 2000, 3601):
        exact = np.arange(total) / rate
        shown = exact if not clock else np.round(exact / clock) * clock
        numbers = original(total, rate)
        chosen = FileSampler().choose(WHOLE, shown)
        assert np.array_equal(chosen, shown[numbers]), (total, rate)


def test_times_are_told_as_frame_numbers_by_the_rate():
    numbers = np.array([0, 5, 7, 12])
    for rate in (24.0, 25.0, 24000 / 1001):
        # Seconds as a clock of ticks gives them, in another rounding.
        shown = numbers * (1 / rate)
        assert counted_times(3.0 + shown) == (numbers / rate).tolist()
        millis = np.round(numbers / rate, 3)
        assert counted_times(millis) == pytest.approx((numbers / rate).tolist(), abs=6e-4)
    odd = np.array([0.0, 0.01234, 0.3217, 0.5678, 0.9113])
    assert counted_times(odd) == odd.tolist()


def test_rates_are_recovered():
    assert average_rate(np.arange(200) * 1001 / 30000) == 30000 / 1001
    assert average_rate(np.arange(100) / 17.3) == pytest.approx(17.3)
    assert average_rate(np.zeros(1)) > 0


def test_samplers_of_the_worker_import_no_torch(tmp_path):
    place = tmp_path / "sampler"
    place.write_bytes(pickle.dumps(FileSampler()))
    code = f"import pickle, sys; pickle.load(open({str(place)!r}, 'rb'))"
    code += "; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_sizes_are_rounded_half_to_even_and_kept_in_bounds():
    assert fit_size((240, 320), 32, 1, 1e9) == (256, 320)
    assert fit_size((64, 96), 32, 128 * 1024, 786_432) == (320, 448)
    height, width = fit_size((2160, 3840), 32, 128 * 1024, 786_432)
    assert height * width <= 786_432
    with pytest.raises(ValueError, match="too narrow"):
        fit_size((2, 500), 32, 1, 1e9)
