"""Products of queries and clips."""

from __future__ import annotations

import numpy as np
import pytest

from moviola.retrieve.products import multiply_rows


@pytest.mark.parametrize("rows", [1, 3, 17])
@pytest.mark.parametrize("clips", [1, 4096, 9001])
def test_products_in_blocks_are_the_product(rows, clips):
    rng = np.random.default_rng(0)
    left = rng.standard_normal((rows, 24)).astype(np.float32)
    matrix = rng.standard_normal((clips, 24)).astype(np.float32)
    found = multiply_rows(left, matrix)
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    np.testing.assert_allclose(found, left @ matrix.T, rtol=1e-4, atol=1e-4)
