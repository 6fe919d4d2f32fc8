"""Many searches as one: batches, and texts that cannot be encoded."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import numpy as np
import pytest

from moviola.serve.search import batching
from moviola.serve.search.batching import Batcher


class Three:
    """Stands for a snapshot of three clips."""

    matrix = np.eye(3, dtype=np.float32)
    rows = None


SNAPSHOT = cast("Any", Three())


class Lengths:
    """Encodes a text as its length; `sizes` has how many texts came together."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.busy, self.released = threading.Event(), threading.Event()
        self.released.set()
        self.batcher = Batcher(self)

    def __call__(self, texts):
        self.sizes.append(len(texts))
        self.busy.set()
        assert self.released.wait(30)
        if any("strange" in text for text in texts):
            raise ValueError("strange")
        return [np.array([len(text), 1, 0], np.float32) for text in texts]

    def scores(self, texts, pictures=()):
        return [row.tolist() for row in self.batcher.scores(SNAPSHOT, texts, pictures)]

    def together(self, texts):
        """The scores of each, all asked while another one is worked on."""
        self.released.clear()
        with ThreadPoolExecutor(len(texts) + 1) as pool:
            first = pool.submit(self.scores, ["busy"])
            assert self.busy.wait(30)
            waiting = [pool.submit(self.scores, [text]) for text in texts]
            while self.batcher._jobs.qsize() < len(texts):
                time.sleep(0.001)
            self.released.set()
            assert first.result(30) == [[4, 1, 0]]
            return [answer.result(30) for answer in waiting]


@pytest.fixture
def lengths():
    made = Lengths()
    yield made
    made.batcher.close()


def test_everybody_gets_their_own_answer_and_no_batch_is_small(lengths):
    texts = ["x" * length for length in range(1, 101)]
    assert lengths.together(texts) == [[[length, 1, 0]] for length in range(1, 101)]
    assert lengths.sizes == [1, 25, 25, 25, 25]


def test_texts_and_pictures_come_back_in_their_order(lengths):
    picture = np.array([0, 0, 7], np.float32)
    assert lengths.scores(["ab", "a", "ab"], [picture]) == [
        [2, 1, 0],
        [1, 1, 0],
        [2, 1, 0],
        [0, 0, 7],
    ]
    assert lengths.scores([]) == []


def test_what_is_known_is_not_encoded_again(lengths):
    assert lengths.scores(["one"]) == lengths.scores(["one"])
    assert lengths.sizes == [1]


def test_an_old_text_is_forgotten_only_after_its_answer(lengths, monkeypatch):
    monkeypatch.setattr(batching, "_TEXTS_KEPT", 1)
    lengths.scores(["old"])
    assert [row[0] for row in lengths.scores(["old", "newer", "newest"])] == [3, 5, 6]
    lengths.scores(["old"])
    assert lengths.sizes == [1, 2, 1]


def test_one_strange_text_fails_alone(lengths):
    lengths.batcher._learn({"plain", "strange"})
    assert lengths.scores(["plain"]) == [[5, 1, 0]]
    with pytest.raises(ValueError, match="strange"):
        lengths.scores(["strange"])


def test_who_waits_when_the_server_ends_is_told(lengths):
    lengths.released.clear()
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(lengths.scores, ["busy"])
        assert lengths.busy.wait(30)
        closing = pool.submit(lengths.batcher.close)
        while not lengths.batcher._jobs.qsize():
            time.sleep(0.001)
        late = pool.submit(lengths.scores, ["late"])
        while lengths.batcher._jobs.qsize() < 2:
            time.sleep(0.001)
        lengths.released.set()
        assert first.result(30) == [[4, 1, 0]]
        with pytest.raises(RuntimeError, match="going down"):
            late.result(30)
        closing.result(30)
