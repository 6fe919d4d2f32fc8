"""Moments are ordered by a second model, and those it could not read come last."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from moviola.core import Readout, Scores, Space
from moviola.core.moments import Moment
from moviola.retrieve.reranking import order_again


@dataclass
class Second:
    """A second model whose only text is the first axis."""

    metric: str = "cosine"

    @property
    def space(self):
        return Space("second", "1", "1", 2, metric=cast("Any", self.metric))

    text_readout = video_readout = Readout("none")

    def encode_texts(self, texts):
        return [np.array([[1, 0]], np.float32) for _ in texts]


def found(count: int) -> list[Moment]:
    return [
        Moment(f"v{place}", Path(f"{place}.mp4"), place, place + 1, place, 1 - place / 10, "unsure")
        for place in range(count)
    ]


def rows(**values) -> dict[int, np.ndarray]:
    return {int(key[1:]): np.array([value], np.float32) for key, value in values.items()}


def ranked(moments, read, encoder=None):
    again = order_again("a", moments, read, cast("Any", encoder or Second()))
    return [int(each.moment.video[1:]) for each in again], [each.score for each in again]


def test_unreadable_ones_follow_in_the_order_they_came_however_low_the_others_score():
    order, scores = ranked(found(6), rows(p1=[-1, 0], p3=[1, 0], p4=[-1, 0.5]))
    assert order == [3, 4, 1, 0, 2, 5]
    assert scores[:3] == pytest.approx([1, -0.8944272, -1])
    assert scores[3:] == [None] * 3


def test_where_none_can_be_read_they_stay_as_they_are():
    assert ranked(found(3), {}) == ([0, 1, 2], [None] * 3)
    assert ranked([], {}) == ([], [])


def test_equal_scores_keep_the_order_of_the_search():
    assert ranked(found(3), rows(p2=[1, 0], p0=[1, 0], p1=[2, 0]))[0] == [0, 1, 2]


def test_every_kind_of_model_scores_in_its_own_way():
    read = rows(p0=[1, 0], p1=[3, 3])
    assert ranked(found(2), read)[0] == [0, 1]
    assert ranked(found(2), read, Second("dot")) == ([1, 0], pytest.approx([3, 1]))
    tokens = {0: np.array([[0, 1], [0, 1]], np.float32), 1: np.array([[0, 1], [1, 0]], np.float32)}
    assert ranked(found(2), tokens) == ([1, 0], pytest.approx([1, 0]))


def test_a_scorer_of_its_own_comes_first():
    def scorer(texts, clips):
        ids = [clip.id for clip in clips.items]
        return Scores(["query"], ids, np.array([[float(name) for name in ids]]))

    second = Second()
    second.scorer = scorer  # ty: ignore
    assert ranked(found(3), rows(p0=[1, 0], p2=[0, 1]), second) == ([2, 0, 1], [2.0, 0.0, None])
