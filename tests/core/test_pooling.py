from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from moviola.core import Clip, Embeddings, PluginNotFoundError, Readout, Space, Span
from moviola.core.pooling import POOLINGS, pool

ROWS = hnp.arrays(
    np.float32, st.tuples(st.integers(1, 9), st.just(3)), elements=st.floats(-8, 8, width=16)
)


def naive(name, rows):
    columns = [[float(value) for value in column] for column in rows.T]
    weights = range(1, len(rows) + 1)
    return {
        "first": [column[0] for column in columns],
        "last": [column[-1] for column in columns],
        "max": [max(column) for column in columns],
        "mean": [sum(column) / len(column) for column in columns],
        "min": [min(column) for column in columns],
        "sum": [sum(column) for column in columns],
        "position_weighted_mean": [
            sum(w * v for w, v in zip(weights, column, strict=True)) / sum(weights)
            for column in columns
        ],
    }[name]


@given(ROWS, st.sampled_from(sorted(POOLINGS)))
def test_poolings_are_what_their_names_say(rows, name):
    np.testing.assert_allclose(POOLINGS[name](rows), naive(name, rows), rtol=1e-5, atol=1e-5)


@given(ROWS, st.sampled_from(sorted(POOLINGS)))
def test_half_precision_is_computed_in_single(rows, name):
    half = rows.astype(np.float16)
    pooled = POOLINGS[name](half)
    assert pooled.dtype == np.float32
    np.testing.assert_array_equal(pooled, POOLINGS[name](half.astype(np.float32)))


def test_sums_of_half_precision_do_not_overflow():
    rows = np.full((100, 2), 60_000, np.float16)
    assert POOLINGS["mean"](rows).tolist() == [60_000, 60_000]
    assert POOLINGS["sum"](rows).tolist() == [6e6, 6e6]


@pytest.mark.parametrize("name", sorted(POOLINGS))
def test_one_row_pools_to_itself_and_none_to_an_error(name):
    row = np.array([[1, 2, 3]], np.float64)
    assert POOLINGS[name](row).tolist() == [1, 2, 3]
    for wrong in (row[:0], row[0]):
        with pytest.raises(ValueError, match="pooling needs"):
            POOLINGS[name](wrong)


def test_embeddings_are_pooled_with_their_readout():
    clips = [Clip(name, Path(name), Span(0, 1)) for name in "ab"]
    rows = [np.ones((2, 3), np.float16), np.arange(3, dtype=np.float16)[None]]
    space, readout = Space.anonymous(3), Readout("resize")
    made = Embeddings.from_rows(clips, rows, space, readout)
    pooled = pool(made, "sum")
    assert pooled.is_pooled
    assert pooled.readout == Readout("resize", pooling="sum")
    assert pooled.vectors.tolist() == [[2, 2, 2], [0, 1, 2]]
    assert pooled.vectors.dtype == np.float32
    assert pool(made, "none") is made
    with pytest.raises(ValueError, match="are pooled by 'sum'"):
        pool(pooled, "mean")
    with pytest.raises(ValueError, match="no pooling is called 'median'; there are none, first"):
        pool(made, "median")


def test_a_pooling_of_ones_own_is_named_module_attribute(tmp_path, monkeypatch):
    (tmp_path / "own_poolings.py").write_text(
        "def middle(rows):\n    return rows[len(rows) // 2]\n\n\n"
        "def wrong(rows):\n    return rows\n\n\nnumber = 3\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    clips = [Clip(name, Path(name), Span(0, 1)) for name in "ab"]
    rows = [np.arange(9, dtype=np.float32).reshape(3, 3), np.ones((1, 3), np.float32)]
    made = Embeddings.from_rows(clips, rows, Space.anonymous(3), Readout("resize"))
    pooled = pool(made, "own_poolings:middle")
    assert pooled.vectors.tolist() == [[3, 4, 5], [1, 1, 1]]
    assert pooled.readout.pooling == "own_poolings:middle"
    with pytest.raises(ValueError, match=r"must give \(3,\)"):
        pool(made, "own_poolings:wrong")
    with pytest.raises(PluginNotFoundError, match="a pooling is a function"):
        pool(made, "own_poolings:number")
    with pytest.raises(PluginNotFoundError, match="cannot be imported"):
        pool(made, "own_poolings:absent")
