from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from moviola.core.ranks import (
    FLOAT32_TOLERANCE,
    Ranks,
    Windows,
    count_block,
    default_tolerance,
    join_ranks,
    rank_block,
    tie_windows,
)


def naive_groups(row, columns, reach):
    """(better, tied, relevant) of each merged window, best first, with Python's own numbers."""
    scores = [float(value) for value in row]
    windows = []
    for score in sorted((scores[column] for column in columns), reverse=True):
        if windows and score + reach >= windows[-1][0]:
            windows[-1][0] = score - reach
            windows[-1][2] += 1
        else:
            windows.append([score - reach, score + reach, 1])
    return [
        (sum(s > high for s in scores), sum(low <= s <= high for s in scores), relevant)
        for low, high, relevant in windows
    ]


@st.composite
def blocks(draw):
    queries, size = draw(st.integers(1, 4)), draw(st.integers(1, 12))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    values = st.one_of(st.integers(-3, 3), st.floats(-1, 1, width=32))
    matrix = draw(hnp.arrays(dtype, (queries, size), elements=values.map(float)))
    relevant = [sorted(draw(st.sets(st.integers(0, size - 1), min_size=1))) for _ in range(queries)]
    return matrix, relevant


def flat(relevant):
    offsets = np.concatenate([[0], np.cumsum([len(each) for each in relevant])]).astype(np.int64)
    return np.array([column for each in relevant for column in each], np.int64), offsets


@settings(max_examples=80)
@given(blocks(), st.sampled_from([0.0, 5e-7, 0.1, 0.4]))
def test_counting_agrees_with_a_double_loop(case, tolerance):
    matrix, relevant = case
    ranks = rank_block(matrix, *flat(relevant), tolerance)
    for query, columns in enumerate(relevant):
        reach = tolerance * max(abs(float(value)) for value in matrix[query])
        own = slice(*ranks.offsets[query : query + 2])
        found = zip(ranks.better[own], ranks.tied[own], ranks.relevant[own], strict=True)
        assert [tuple(map(int, each)) for each in found] == naive_groups(
            matrix[query], columns, reach
        )


@settings(max_examples=40)
@given(blocks(), st.integers(1, 5))
def test_a_gallery_in_pieces_counts_the_same(case, step):
    matrix, relevant = case
    columns, offsets = flat(relevant)
    query = np.repeat(np.arange(len(matrix)), np.diff(offsets))
    windows = tie_windows(matrix[query, columns], offsets, np.full(len(matrix), 0.01))
    above, inside = count_block(matrix, windows)
    pieces = [
        count_block(np.ascontiguousarray(matrix[:, first : first + step]), windows)
        for first in range(0, matrix.shape[1], step)
    ]
    np.testing.assert_array_equal(sum(piece[0] for piece in pieces), above)
    np.testing.assert_array_equal(sum(piece[1] for piece in pieces), inside)


@given(blocks())
def test_queries_in_pieces_join_to_the_same(case):
    matrix, relevant = case
    whole = rank_block(matrix, *flat(relevant), 0.0)
    joined = join_ranks(
        [
            rank_block(matrix[query : query + 1], *flat([columns]), 0.0)
            for query, columns in enumerate(relevant)
        ]
    )
    for name in ("offsets", "better", "tied", "relevant"):
        np.testing.assert_array_equal(getattr(joined, name), getattr(whole, name))


def test_windows_are_exact_in_float32():
    # The bound lies between two float32 numbers: the nearer one must not slip inside.
    base = np.float32(1.0)
    above = np.nextafter(base, np.float32(2))
    row = np.array([[base, above]], np.float32)
    gap = float(above) - 1.0
    for reach, tied in ((gap * 0.99, 1), (gap, 2)):
        windows = tie_windows(row[0, :1], np.array([0, 1]), np.array([reach]))
        assert isinstance(windows, Windows)
        assert count_block(row, windows)[1].tolist() == [tied]


def test_overlapping_windows_of_relevant_items_merge():
    ranks = rank_block(np.array([[1.0, 0.92, 0.84, 0.5]]), np.array([0, 2]), np.array([0, 2]), 0.1)
    assert (ranks.better.tolist(), ranks.tied.tolist(), ranks.relevant.tolist()) == ([0], [3], [2])
    apart = rank_block(np.array([[1.0, 0.92, 0.84]]), np.array([0, 2]), np.array([0, 2]), 0.01)
    assert (apart.better.tolist(), apart.tied.tolist()) == ([0, 2], [1, 1])


def test_only_irrelevant_neighbours_make_a_tie():
    ranks = Ranks(
        np.array([0, 2, 3]), np.array([0, 4, 0]), np.array([2, 1, 2]), np.array([2, 1, 1])
    )
    assert ranks.is_tied.tolist() == [False, True]


def test_the_default_tolerance_is_float32s_alone():
    assert default_tolerance(np.dtype(np.float32)) == FLOAT32_TOLERANCE == pytest.approx(5e-7)
    assert default_tolerance(np.dtype(np.float64)) == 0.0
