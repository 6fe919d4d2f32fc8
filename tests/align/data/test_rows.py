from __future__ import annotations

import numpy as np
import pytest
import torch

from moviola.align.data.rows import RaggedRows


def _ragged(counts: list[int], dtype: type = np.float32) -> tuple[RaggedRows, list[np.ndarray]]:
    rng = np.random.default_rng(0)
    items = [rng.normal(size=(count, 3)).astype(dtype) for count in counts]
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return RaggedRows(np.concatenate(items), offsets), items


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_blocks_hold_the_rows_of_their_items_and_nothing_else(dtype) -> None:
    side, items = _ragged([2, 5, 1, 3], dtype)
    wanted = np.array([3, 1, 1, 2])
    rows, there = side.block(wanted)
    assert rows.dtype == torch.float32
    assert rows.shape == (4, 5, 3)
    for place, item in enumerate(wanted):
        count = len(items[item])
        assert there[place].tolist() == [True] * count + [False] * (5 - count)
        assert np.array_equal(rows[place, :count].numpy(), items[item].astype(np.float32))
        assert not rows[place, count:].any()


def test_pooled_blocks_have_one_row() -> None:
    side, items = _ragged([1, 1, 1])
    rows, there = side.block(np.array([2, 0]))
    assert rows.shape == (2, 1, 3)
    assert there.all()
    assert np.array_equal(rows[0].numpy(), items[2])


@pytest.mark.parametrize("counts", [[1, 1, 1, 1], [2, 5, 1, 3]])
def test_some_items_are_those_items(counts) -> None:
    side, items = _ragged(counts)
    part = side.some(np.array([3, 0]))
    assert len(part) == 2
    for place, item in enumerate([3, 0]):
        rows = part.rows[part.offsets[place] : part.offsets[place + 1]]
        assert np.array_equal(rows, items[item])
