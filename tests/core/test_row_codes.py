from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moviola.core.row_codes import RowCodes, concatenate_codes, encode_eight_bits, encode_signs


def unit_rows(seed, count, width):
    rows = np.random.default_rng(seed).normal(size=(count, width)) + 0.3
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def encode_rows(rows, name):
    if name == "int8":
        return encode_eight_bits(rows)
    return encode_signs(rows, rows.mean(axis=0) if len(rows) else np.zeros(rows.shape[1], "f"))


@given(
    st.integers(0, 99), st.integers(0, 9), st.integers(1, 40), st.sampled_from(["int8", "binary"])
)
def test_products_are_those_of_the_rows_that_codes_stand_for(seed, count, width, name):
    codes = encode_rows(unit_rows(seed, count, width), name)
    queries = unit_rows(seed + 1, 3, width)
    np.testing.assert_allclose(codes.multiply(queries), queries @ codes.widen().T, atol=1e-5)


def test_int8_is_near_by_half_a_step():
    rows = unit_rows(1, 50, 64)
    steps = np.abs(rows).max(axis=1, keepdims=True) / 127
    assert (np.abs(encode_eight_bits(rows).widen() - rows) <= steps * 0.501).all()


def test_binary_keeps_the_sides_of_the_centre_and_the_best_scale():
    rows = unit_rows(2, 200, 33)
    codes = encode_rows(rows, "binary")
    assert codes.codes.shape == (200, 5)
    apart, signs = rows - rows.mean(axis=0), np.sign(codes.widen() - codes.centre)
    np.testing.assert_array_equal(signs, np.sign(apart))
    # No other scale is nearer: the remainder is at right angles to the signs.
    rest = apart - (codes.widen() - codes.centre)
    np.testing.assert_allclose((rest * signs).sum(axis=1), 0, atol=1e-5)


@pytest.mark.parametrize(("name", "bytes_a_row"), [("int8", 512 + 4), ("binary", 64 + 4)])
def test_codes_are_small(name, bytes_a_row):
    assert encode_rows(unit_rows(3, 10, 512), name).nbytes == 10 * bytes_a_row


@pytest.mark.parametrize("name", ["int8", "binary"])
def test_parts_of_codes_are_taken_and_put_together(name):
    rows = unit_rows(4, 20, 16)
    codes = encode_rows(rows, name)
    parts = [codes.take(slice(0, 7)), codes.take(np.arange(7, 20))]
    np.testing.assert_array_equal(concatenate_codes(parts).widen(), codes.widen())
    assert len(parts[1]) == 13


def test_zeros_stay_zeros_and_widths_must_fit():
    for name in ("int8", "binary"):
        np.testing.assert_array_equal(encode_rows(np.zeros((2, 4), "f"), name).widen(), 0)
    with pytest.raises(ValueError, match=r"int8 codes of 2 rows must be \(2, 4\) int8"):
        RowCodes("int8", np.zeros((2, 3), np.int8), np.ones(2, np.float32), np.zeros(4, np.float32))
