"""Clips wait to be encoded in batches that are bounded by number and by bytes."""

from __future__ import annotations

import numpy as np
import pytest

from moviola.core import FileCode, Frames, Span
from moviola.pipeline.encode import streaming
from moviola.video import ClipRead, VideoDone


class Tower:
    """Counts what it is given at once."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    def encode_videos(self, clips):
        self.batches.append([clip.pixels.nbytes for clip in clips])
        return [np.full((1, 2), clip.pixels[0, 0, 0, 0], np.float32) for clip in clips]


class Reading:
    """A pool whose clips are these many bytes."""

    def __init__(self, sizes: list[int]) -> None:
        self.sizes = sizes

    def read(self, _):
        for index, size in enumerate(self.sizes):
            pixels = np.full((1, 1, size // 3, 3), index, np.uint8)
            frames = Frames(pixels, np.zeros(1))
            yield ClipRead(1, index, Span(index, index + 1), frames)
        yield VideoDone(1, FileCode.OK, "", None, len(self.sizes))


def run(sizes: list[int]) -> Tower:
    tower = Tower()
    (video,) = streaming.encode_stream(Reading(sizes), [], tower)
    assert [row[0, 0] for row in video.rows] == list(range(len(sizes)))
    assert [span.start for span in video.spans] == list(range(len(sizes)))
    return tower


@pytest.mark.parametrize(
    ("sizes", "batches"),
    [
        ([300, 300, 300, 300], [3, 1]),
        ([900, 300], [1, 1]),
        ([300, 900, 300], [1, 1, 1]),
        ([3000, 3000, 3], [1, 1, 1]),
        ([3] * 40, [16, 16, 8]),
    ],
)
def test_a_batch_holds_few_bytes_and_few_clips(monkeypatch, sizes, batches):
    monkeypatch.setattr(streaming, "_BATCH_BYTES", 1000)
    tower = run(sizes)
    assert [len(batch) for batch in tower.batches] == batches
    assert all(sum(batch) <= 1000 or len(batch) == 1 for batch in tower.batches)
