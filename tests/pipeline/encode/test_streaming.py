"""Clips wait to be encoded in batches that are bounded by number and by bytes."""

from __future__ import annotations

import time

import numpy as np
import pytest

from moviola.core import FileCode, Frames, Span
from moviola.pipeline.encode import streaming
from moviola.pipeline.encode.stages import StageSeconds
from moviola.video import ClipNamed, ClipRead, PictureRead, VideoDone


class Tower:
    """Counts what it is given at once."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    def encode_videos(self, clips):
        self.batches.append([clip.pixels.nbytes for clip in clips])
        return [np.full((1, 2), clip.pixels[0, 0, 0, 0], np.float32) for clip in clips]


class Reading:
    """A pool whose clips are these many bytes."""

    busy_seconds, workers = 0.0, 1

    def __init__(self, sizes: list[int]) -> None:
        self.sizes = sizes

    def read(self, _, **_options):
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
    monkeypatch.setattr("moviola.pipeline.encode.batches._BATCH_BYTES", 1000)
    tower = run(sizes)
    assert [len(batch) for batch in tower.batches] == batches
    assert all(sum(batch) <= 1000 or len(batch) == 1 for batch in tower.batches)


class Slow(Reading):
    """A pool whose consumer has to wait after every second clip."""

    def read(self, _, *, on_idle):
        for number, event in enumerate(super().read(_, on_idle=on_idle), start=1):
            yield event
            if number % 2 == 0:
                on_idle()


def test_a_model_that_would_be_idle_takes_what_waits_unless_it_is_little():
    tower = Tower()
    list(streaming.encode_stream(Slow([3] * 11), [], tower))
    assert [len(batch) for batch in tower.batches] == [4, 4, 3]


def test_time_in_the_model_is_no_waiting():
    class Sleepy(Tower):
        def encode_videos(self, clips):
            time.sleep(0.05)
            return super().encode_videos(clips)

    seconds = StageSeconds()
    list(streaming.encode_stream(Slow([3] * 11), [], Sleepy(), seconds=seconds))
    assert seconds.model >= 0.15
    assert 0 <= seconds.wait < 0.05


class Starved(Tower):
    """Has room for a few clips at a time only."""

    room = 3

    def encode_videos(self, clips):
        if len(clips) > self.room:
            self.batches.append([-1])
            raise MemoryError("not so many at once")
        return super().encode_videos(clips)


def test_batches_are_halved_once_memory_runs_out_and_stay_so(monkeypatch):
    tower = Starved()
    (video,) = streaming.encode_stream(Reading([3] * 40), [], tower)
    assert [row[0, 0] for row in video.rows] == list(range(40))
    assert tower.batches.count([-1]) == 3  # 16, 8, 4: then two at a time, to the end
    assert max(map(len, tower.batches)) == 2


def test_a_clip_that_never_fits_is_an_error():
    tower = Starved()
    tower.room = 0
    with pytest.raises(MemoryError, match="not so many"):
        list(streaming.encode_stream(Reading([3]), [], tower))


class Single:
    """A tower of single frames: the row of a frame is its first pixel."""

    shrink = None

    def __init__(self) -> None:
        self.seen: list[int] = []

    @property
    def frame_tower(self):
        return self

    def encode_videos(self, clips):
        raise AssertionError(f"{len(clips)} clips are not encoded whole")

    def encode_frames(self, frames):
        self.seen += [int(frame[0, 0, 0]) for frame in frames]
        return np.array([[frame[0, 0, 0], 1] for frame in frames], np.float32)

    def pool_frames(self, clips):
        return [rows.mean(0, keepdims=True) for rows in clips]


class Pictures:
    """A pool of one video: pictures, of which two repeat the one before, and clips of them."""

    busy_seconds, workers = 1.5, 2

    def read_pictures(self, _, **_options):
        for number, value in enumerate([10, 20, 20, 30, 30, 40], start=1):
            yield PictureRead(1, number, np.full((1, 1, 3), value, np.uint8))
        yield ClipNamed(1, 1, Span(3, 9), (4, 5, 6))
        yield ClipNamed(1, 0, Span(0, 6), (1, 2, 3, 4))
        yield VideoDone(1, FileCode.OK, "", None, 2)


def test_a_frame_that_several_clips_show_is_encoded_once():
    tower, seconds = Single(), StageSeconds()
    (video,) = streaming.encode_stream(Pictures(), [], tower, seconds=seconds)
    assert tower.seen == [10, 20, 30, 40]
    assert [span.start for span in video.spans] == [0, 3]  # in the segmenter's order
    assert [row[0, 0] for row in video.rows] == pytest.approx([(10 + 20 + 20 + 30) / 4, 100 / 3])
    assert (seconds.decode, seconds.decoders) == (1.5, 2)


def test_a_video_without_clips_comes_out_too():
    class Nothing(Pictures):
        def read_pictures(self, _, **_options):
            yield VideoDone(1, FileCode.CORRUPT, "damaged", None, 0)

    (video,) = streaming.encode_stream(Nothing(), [], Single())
    assert (video.done.code, video.rows) == (FileCode.CORRUPT, [])
