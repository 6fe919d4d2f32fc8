"""Quantiles of sorted numbers, against NumPy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moviola.library.quantiles import quantile


@given(
    st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=60),
    st.floats(0, 1),
)
def test_is_what_numpy_says(values, share):
    ordered = np.sort(np.array(values))
    assert quantile(ordered, share) == pytest.approx(np.quantile(values, share), rel=1e-9, abs=1e-6)


def test_the_middle_is_the_median():
    rng = np.random.default_rng(0)
    for size in (1, 2, 7, 100, 101):
        values = rng.standard_normal(size).astype(np.float32)
        assert quantile(np.sort(values), 0.5) == pytest.approx(float(np.median(values)), abs=1e-7)
