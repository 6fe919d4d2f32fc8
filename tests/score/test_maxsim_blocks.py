"""Ragged MaxSim cut into several blocks of texts and of clips says what a double loop says."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from moviola.score.maxsim import _groups, interact

RNG = np.random.default_rng(21)
TEXTS, CLIPS = [3, 1, 7, 2, 1, 5, 4], [2, 9, 1, 1, 6, 3, 2, 8]


def _unit(counts: list[int]) -> tuple[np.ndarray, np.ndarray]:
    rows = RNG.normal(size=(sum(counts), 5)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def _naive(texts, text_offsets, clips, clip_offsets) -> np.ndarray:
    found = np.empty((len(text_offsets) - 1, len(clip_offsets) - 1))
    for i in range(len(found)):
        ours = texts[text_offsets[i] : text_offsets[i + 1]]
        for j in range(found.shape[1]):
            theirs = clips[clip_offsets[j] : clip_offsets[j + 1]]
            found[i, j] = np.mean([max(float(row @ other) for other in theirs) for row in ours])
    return found


@pytest.mark.parametrize("cells", [1, 64 * 2, 64 * 4, 64 * 10, 64 * 17, 64 * 1000])
def test_blocks_of_ragged_texts_and_clips(monkeypatch, cells):
    texts, clips = _unit(TEXTS), _unit(CLIPS)
    calls: list[tuple] = []
    # The package's attribute of that name is the function.
    module = sys.modules["moviola.score.maxsim"]
    monkeypatch.setattr(module, "_BLOCK", cells)
    wanted = _naive(*texts, *clips)
    monkeypatch.setattr(module, "_groups", lambda *given: calls.append(given) or _groups(*given))
    np.testing.assert_allclose(interact(*texts, *clips), wanted, rtol=1e-5, atol=1e-6)
    # One cutting of the clips, and one of the texts for each part of them.
    groups = list(_groups(clips[1], cells // 64))
    held = [int(clips[1][group.stop] - clips[1][group.start]) for group in groups]
    # No more cosines at a time than are allowed, but for one row of a text.
    assert [rows for _, rows in calls[1:]] == [max(1, cells // rows) for rows in held]
    parts = len(groups)
    assert len(calls) == 1 + parts
    assert parts == {1: 8, 128: 7, 256: 7, 640: 4, 1088: 3, 64_000: 1}[cells]


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 8, 1000])
def test_groups_cover_every_item_once_and_hold_what_they_may(rows):
    offsets = np.concatenate([[0], np.cumsum(CLIPS)])
    groups = list(_groups(offsets, rows))
    assert [i for group in groups for i in range(group.start, group.stop)] == list(range(8))
    for group, after in zip(groups, [*groups[1:], None], strict=True):
        held = offsets[group.stop] - offsets[group.start]
        assert held <= rows or group.stop - group.start == 1
        if after is not None:
            # As many as fit: one item more would have been too many.
            assert offsets[group.stop + 1] - offsets[group.start] > rows
