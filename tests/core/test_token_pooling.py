from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moviola.core import Clip, Embeddings, Readout, Space, Span
from moviola.core.pooling import pool, pool_rows, require_pooling
from moviola.core.token_pooling import TokenPooling, pool_by_salience, pool_by_ward


def unit_rows(seed, count, width=8):
    rows = np.random.default_rng(seed).normal(size=(count, width))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def naive_ward(rows, count):
    """Merge the two clusters whose sum of squares grows least, until `count` are left."""
    clusters = [[row] for row in range(len(rows))]

    def growth(one, other):
        apart = rows[one].mean(axis=0) - rows[other].mean(axis=0)
        return len(one) * len(other) / (len(one) + len(other)) * (apart @ apart)

    while len(clusters) > count:
        pairs = [(i, j) for i in range(len(clusters)) for j in range(i)]
        i, j = min(pairs, key=lambda pair: growth(clusters[pair[0]], clusters[pair[1]]))
        clusters[j] += clusters.pop(i)
    return sorted(sorted(cluster) for cluster in clusters)


@given(st.integers(0, 999), st.integers(1, 24), st.integers(1, 24))
@settings(max_examples=60)
def test_rows_become_the_unit_means_of_wards_clusters(seed, total, count):
    rows = unit_rows(seed, total)
    pooled = pool_by_ward(rows * np.float32(3), count)
    clusters = naive_ward(rows.astype(np.float64), count)
    means = np.stack([rows[cluster].mean(axis=0) for cluster in clusters])
    wanted = means / np.linalg.norm(means, axis=1, keepdims=True)
    np.testing.assert_allclose(pooled, wanted, atol=1e-5)


def test_the_tree_is_that_of_scipy():
    hierarchy = pytest.importorskip("scipy.cluster.hierarchy")
    centres = unit_rows(1, 12, 32)
    rows = np.repeat(centres, 25, axis=0) + 0.3 * unit_rows(2, 300, 32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    labels = hierarchy.fcluster(hierarchy.linkage(rows, "ward"), 12, "maxclust")
    means = np.stack([rows[labels == label].mean(axis=0) for label in np.unique(labels)])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    closest = (pool_by_ward(rows, 12) @ means.T).max(axis=1)
    np.testing.assert_allclose(closest, 1, atol=1e-6)


@given(st.integers(0, 99), st.integers(1, 9), st.integers(0, 5))
def test_pooling_to_as_many_rows_or_more_changes_no_direction(seed, total, more):
    rows = unit_rows(seed, total)
    for pooled in (
        pool_by_ward(rows * 2, total + more),
        pool_by_salience(rows * 2, np.ones(total), total + more),
    ):
        np.testing.assert_allclose(pooled, rows, atol=1e-6)


@given(st.integers(0, 99), st.integers(1, 30), st.integers(1, 30))
def test_pooled_rows_are_few_and_of_unit_length(seed, total, count):
    rows = unit_rows(seed, total)
    salience = np.random.default_rng(seed).random(total)
    for pooled in (pool_by_ward(rows, count), pool_by_salience(rows, salience, count)):
        assert pooled.shape == (min(total, count), 8)
        assert pooled.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(pooled, axis=1), 1, atol=1e-5)


def test_more_rows_than_are_compared_at_once_are_pooled_to_exactly_as_many(monkeypatch):
    monkeypatch.setattr("moviola.core.token_pooling._AT_ONCE", 16)
    rows = unit_rows(3, 100)
    for count in (1, 5, 16, 17, 50, 99, 100, 10**9):
        assert len(pool_by_ward(rows, count)) == min(count, 100)
    # Stretches do not lose what is far apart.
    two = np.repeat(np.float32([[1, 0], [0, 1]]), 50, axis=0)
    np.testing.assert_allclose(pool_by_ward(two, 2), [[1, 0], [0, 1]], atol=1e-6)


def test_rows_gather_around_the_most_salient_by_their_salience():
    rows = np.float32([[1, 0], [0.8, 0.6], [0, 1], [0.6, 0.8]])
    pooled = pool_by_salience(rows, np.array([4.0, 1, 3, 0]), 2)
    first = np.array([4 * 1 + 1 * 0.8, 0.6])
    np.testing.assert_allclose(pooled, [first / np.linalg.norm(first), [0, 1]], atol=1e-6)


def test_equal_rows_opposite_rows_and_rows_without_weight_keep_a_direction():
    alike = np.repeat(np.float32([[0, 1]]), 6, axis=0)
    opposite = np.float32([[1, 0], [-1, 0]])
    for pooled in (
        pool_by_ward(alike, 3),
        pool_by_salience(alike, np.ones(6), 3),
        pool_by_ward(opposite, 1),
        pool_by_salience(opposite, np.zeros(2), 1),
    ):
        np.testing.assert_allclose(np.linalg.norm(pooled, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_rows_without_a_direction_are_refused(bad):
    rows = np.ones((3, 4), np.float32)
    rows[1] = bad
    for call in (
        lambda: pool_by_ward(rows, 2),
        lambda: pool_by_salience(rows, np.ones(3), 2),
    ):
        with pytest.raises(ValueError, match="no direction"):
            call()


def test_salience_that_does_not_fit_is_refused():
    rows = np.ones((3, 4), np.float32)
    for bad in (np.ones(2), np.array([1, -1, 1.0]), np.array([1, np.nan, 1])):
        with pytest.raises(ValueError, match=r"salience must be \(3,\)"):
            pool_by_salience(rows, bad, 2)


def test_names_are_parsed_and_others_left_alone():
    for name in ("hierarchical-5", "attention-128"):
        assert TokenPooling.parse(name).name == name
        require_pooling(name)
    assert TokenPooling.parse("mean") is None
    with pytest.raises(ValueError, match="keep at least one"):
        require_pooling("hierarchical-0")
    for wrong in ("hierarchical", "hierarchical--1", "ward-5", "attention-1.5"):
        with pytest.raises(ValueError, match="hierarchical-N"):
            require_pooling(wrong)
    with pytest.raises(ValueError, match="rows alone tell no attention"):
        pool_rows(np.ones((3, 2), np.float32), "attention-2")


def test_embeddings_keep_their_items_and_record_the_pooling():
    clips = [Clip(str(i), None, Span(0, 1)) for i in range(3)]
    rows = [unit_rows(i, count).astype(np.float16) for i, count in enumerate((1, 4, 9))]
    embeddings = Embeddings.from_rows(clips, rows, Space.anonymous(8), Readout("x"))
    pooled = pool(embeddings, "hierarchical-4")
    assert pooled.readout.pooling == "hierarchical-4"
    assert np.diff(pooled.offsets).tolist() == [1, 4, 4]
    np.testing.assert_allclose(pooled.rows(2), pool_by_ward(rows[2], 4), atol=1e-6)
    assert pool(pooled, "hierarchical-4").offsets.tolist() == pooled.offsets.tolist()
    for other in ("hierarchical-2", "mean"):
        with pytest.raises(ValueError, match="pool the unpooled ones"):
            pool(pooled, other)


def test_the_item_whose_row_has_no_direction_is_named():
    clips = [Clip("good", None, Span(0, 1)), Clip("bad", None, Span(0, 1))]
    rows = [np.ones((3, 2), np.float32), np.zeros((3, 2), np.float32)]
    embeddings = Embeddings.from_rows(clips, rows, Space.anonymous(2), Readout("x"))
    with pytest.raises(ValueError, match="'bad': a row is all zeros"):
        pool(embeddings, "hierarchical-2")


def test_no_items_pool_to_no_items():
    none = Embeddings.from_rows([], [], Space.anonymous(2), Readout("x"))
    assert len(pool(none, "hierarchical-2")) == 0
