"""Quantiles, against NumPy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moviola.retrieve.quantiles import _SAMPLED, quantiles

SHARES = (0.0, 0.001, 0.25, 0.5, 0.97, 0.9985, 1.0)


@given(
    st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=60),
    st.floats(0, 1),
)
def test_is_what_numpy_says(values, share):
    (found,) = quantiles(np.array(values), [share])
    assert found == pytest.approx(np.quantile(values, share), rel=1e-9, abs=1e-6)


def test_the_middle_is_the_median():
    rng = np.random.default_rng(0)
    for size in (1, 2, 7, 100, 101):
        values = rng.standard_normal(size).astype(np.float32)
        assert quantiles(values, [0.5])[0] == pytest.approx(float(np.median(values)), abs=1e-7)


def _many(kind: str, size: int) -> np.ndarray:
    rng = np.random.default_rng(size)
    noise = rng.standard_normal(size)
    return {
        "noise": noise,
        "few values": noise.round(),
        "all equal": np.ones(size),
        "ascending": np.sort(noise),
        # What a sample of every so many sees is all that is low, or high, and no sample.
        "too low": np.where(np.arange(size) % (size // _SAMPLED) == 0, noise - 100, noise),
        "too high": np.where(np.arange(size) % (size // _SAMPLED) == 0, noise + 100, noise),
        "a hit among nothing": np.where(np.arange(size) == size // 3, 1.0, 0.0),
    }[kind].astype(np.float32)


@pytest.mark.parametrize("size", [8192, 8193, 10_007, 100_000])
@pytest.mark.parametrize(
    "kind",
    ["noise", "few values", "all equal", "ascending", "too low", "too high", "a hit among nothing"],
)
def test_of_many_numbers_they_are_exact(kind, size):
    values = _many(kind, size)
    for shares in [*([share] for share in SHARES), [0.97, 0.9985], [0.9985, 0.25], SHARES]:
        expected = np.quantile(values.astype(np.float64), shares).tolist()
        assert quantiles(values, shares) == pytest.approx(expected, rel=1e-12, abs=1e-12)
