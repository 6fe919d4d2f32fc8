"""Near-duplicates join the better one, and nothing joins through a third."""

from __future__ import annotations

import numpy as np

from moviola.retrieve.duplicates import assign_duplicates


def at(*degrees: float) -> np.ndarray:
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_the_first_of_equals_stands_for_them():
    under = assign_duplicates(at(0, 90, 1, 91, 2), list("abcde"), threshold=np.cos(np.radians(3)))
    assert under.tolist() == [0, 1, 0, 1, 0]


def test_nothing_joins_through_a_third():
    under = assign_duplicates(at(0, 2, 4), list("abc"), threshold=np.cos(np.radians(3)))
    assert under.tolist() == [0, 0, 2]


def test_moments_of_one_video_stay_apart():
    under = assign_duplicates(at(0, 0, 0), ["a", "a", "b"], threshold=0.99)
    assert under.tolist() == [0, 1, 0]


def test_length_does_not_matter_and_zero_is_near_nothing():
    rows = at(0, 0, 0) * np.array([[1], [9], [0]], np.float32)
    assert assign_duplicates(rows, list("abc"), threshold=0.99).tolist() == [0, 0, 2]
