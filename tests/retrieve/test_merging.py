"""Merging windows into moments: properties, and accuracy in a simulated world."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moviola.core import Span
from moviola.retrieve.merging import merge_videos, merge_windows


def windows(duration: float, length: float, hop: float) -> np.ndarray:
    if duration <= length:
        return np.array([[0.0, duration]])
    starts = list(np.arange(0, duration - length + 1e-9, hop))
    if starts[-1] + length < duration - 1e-6:
        starts.append(duration - length)  # the last one is aligned to the end
    return np.array([[start, start + length] for start in starts])


def shares(spans: np.ndarray, start: float, end: float) -> np.ndarray:
    overlap = np.minimum(spans[:, 1], end) - np.maximum(spans[:, 0], start)
    return np.clip(overlap, 0, None) / (spans[:, 1] - spans[:, 0])


def simulated(
    rng: np.random.Generator, length: float, hop: float, *, shots: int, rival: float, noise: float
) -> tuple[np.ndarray, np.ndarray, Span]:
    """Scores of a video whose other shots score up to `rival` of the sought one."""
    lengths = rng.uniform(3, 5 if shots == 3 else 6, shots)
    cuts = np.concatenate([[0], np.cumsum(lengths)])
    sought = rng.integers(shots)
    heights = rng.uniform(0, rival, shots) if rival else np.zeros(shots)
    heights[sought] = 1
    spans = windows(float(cuts[-1]), length, hop)
    scores = sum(
        height * shares(spans, cuts[shot], cuts[shot + 1]) for shot, height in enumerate(heights)
    )
    scores = 0.1 + 0.6 * (scores + rng.normal(0, noise, len(spans)))
    return scores, spans, Span(float(cuts[sought]), float(cuts[sought + 1]))


def accuracy(length: float, hop: float, *, background: float | None, **world: float) -> float:
    """R1@IoU 0.7 over 300 videos."""
    rng = np.random.default_rng(7)
    right = 0
    for case in range(300):
        shots = int(world.get("shots", 1 + case % 3))
        scores, spans, truth = simulated(
            rng, length, hop, shots=shots, rival=world["rival"], noise=world["noise"]
        )
        best = merge_windows(scores, spans, background=background)[0]
        right += Span(max(best.start, 0), best.end).iou(truth) >= 0.7
    return right / 300


@pytest.mark.parametrize("hop", [1.0, 0.5])
@pytest.mark.parametrize(
    ("rival", "noise", "least"),
    [(0.0, 0.0, 0.99), (0.5, 0.05, 0.97), (0.7, 0.05, 0.95), (0.5, 0.1, 0.93), (0.7, 0.15, 0.8)],
)
def test_finds_shots_with_windows_of_two_seconds(hop, rival, noise, least):
    found = accuracy(2, hop, background=0.1, rival=rival, noise=noise)
    assert found >= least


@pytest.mark.parametrize("noise", [0.05, 0.1])
def test_a_video_that_answers_as_a_whole_is_one_moment(noise):
    assert accuracy(2, 1, background=0.1, shots=1, rival=0.0, noise=noise) >= 0.95


def test_windows_longer_than_the_shots_still_find_most():
    assert accuracy(6, 3, background=0.1, rival=0.5, noise=0.05) >= 0.7


def test_without_a_background_a_part_that_stands_out_is_found():
    assert accuracy(2, 0.5, background=None, rival=0.5, noise=0.05) >= 0.7


def test_edges_lie_where_windows_hold_half_of_the_shot():
    spans = windows(12, 2, 1)
    found = merge_windows(shares(spans, 4.3, 8.6), spans, background=0.0)
    assert len(found) == 1
    assert found[0].start == pytest.approx(4.3, abs=0.15)
    assert found[0].end == pytest.approx(8.6, abs=0.15)
    assert 4.3 <= found[0].peak <= 8.6


def test_two_separate_shots_are_two_moments():
    spans = windows(15, 2, 1)
    scores = shares(spans, 1, 5) + 0.9 * shares(spans, 9, 13)
    found = merge_windows(scores, spans, background=0.0)
    assert [round(moment.peak) in range(1, 6) for moment in found] == [True, False]
    assert Span(found[1].start, found[1].end).iou(Span(9, 13)) > 0.7


def test_one_clip_is_one_moment():
    found = merge_windows(np.array([0.3]), np.array([[0.0, 4.2]]))
    assert [(moment.start, moment.end, moment.score) for moment in found] == [(0.0, 4.2, 0.3)]


@pytest.mark.parametrize("background", [None, 0.1])
def test_equal_scores_are_the_whole_video(background):
    spans = windows(11, 2, 1)
    found = merge_windows(np.full(len(spans), 0.5), spans, background=background)
    assert [(moment.start, moment.end) for moment in found] == [(0.0, 11.0)]


def test_shots_that_only_touch_keep_their_edges_and_do_not_merge():
    spans = np.array([[0.0, 3.0], [3.0, 7.5], [7.5, 9.0], [9.0, 14.0]])
    found = merge_windows(np.array([0.1, 0.8, 0.7, 0.0]), spans, background=0.1)
    assert [(moment.start, moment.end) for moment in found] == [(3.0, 7.5), (7.5, 9.0)]


@pytest.mark.parametrize(
    ("scores", "spans"),
    [
        (np.zeros(0), np.zeros((0, 2))),
        (np.zeros(2), np.zeros((3, 2))),
        (np.zeros((2, 1)), np.zeros((2, 2))),
    ],
)
def test_shapes_that_do_not_fit_are_refused(scores, spans):
    with pytest.raises(ValueError, match="windows need scores"):
        merge_windows(scores, spans)


@st.composite
def videos(draw):
    length = draw(st.sampled_from([1.0, 2.0, 6.0]))
    hop = length * draw(st.sampled_from([0.25, 0.5, 1.0]))
    spans = windows(draw(st.floats(0.5, 40)), length, hop)
    scores = draw(st.lists(st.floats(-1, 1, width=32), min_size=len(spans), max_size=len(spans)))
    background = draw(st.none() | st.floats(-1, 1, width=32))
    return np.array(scores, np.float32), spans, background


@given(videos())
def test_moments_are_sound(video):
    scores, spans, background = video
    found = merge_windows(scores, spans, background=background)
    assert found[0].score == scores.max()
    assert [moment.score for moment in found] == sorted(
        (moment.score for moment in found), reverse=True
    )
    for moment in found:
        assert spans[0, 0] <= moment.start < moment.end <= spans[-1, 1]
        assert moment.start <= moment.peak <= moment.end
    ordered = sorted(found, key=lambda moment: moment.start)
    for one, other in pairwise(ordered):
        assert one.end <= other.start


@given(videos(), st.sampled_from([0.5, 2.0, 4.0]), st.sampled_from([-0.5, 0.25]))
def test_scale_and_offset_of_scores_do_not_move_moments(video, scale, offset):
    scores, spans, background = video
    scores = np.round(scores, 2).astype(np.float64)
    moved = merge_windows(
        scores * scale + offset,
        spans,
        background=None if background is None else background * scale + offset,
    )
    plain = merge_windows(scores, spans, background=background)
    if len(moved) == len(plain):  # a window exactly at the level may fall to either side
        for one, other in zip(plain, moved, strict=True):
            assert one.start == pytest.approx(other.start, abs=3)


@given(videos(), st.sampled_from([0.5, 5.0, 15.0, 60.0]))
def test_sharpening_moves_edges_and_no_score(video, sharpness):
    scores, spans, background = video
    sharp = merge_windows(scores, spans, background=background, sharpness=sharpness)
    plain = merge_windows(scores, spans, background=background)
    assert sharp[0].score == plain[0].score == scores.max()
    # The same window is the best, however much of its surroundings is joined to it.
    window = spans[int(scores.argmax())].mean()
    for best in (sharp[0], plain[0]):
        assert best.peak == pytest.approx(float(np.clip(window, best.start, best.end)))
    for moment in sharp:
        assert moment.score in scores
        assert spans[0, 0] <= moment.start < moment.end <= spans[-1, 1]
    assert [m.score for m in sharp] == sorted((m.score for m in sharp), reverse=True)


@given(
    st.lists(videos(), min_size=1, max_size=5),
    st.sampled_from([0.0, 5.0, 15.0]),
)
def test_sharpening_changes_no_order_of_videos(given_videos, sharpness):
    scores = np.concatenate([video[0] for video in given_videos])
    spans = np.concatenate([video[1] for video in given_videos])
    offsets = np.append(0, np.cumsum([len(video[0]) for video in given_videos]))
    background = given_videos[0][2]
    sharp, plain = (
        merge_videos(scores, spans, offsets, background=background, most=1, sharpness=k)
        for k in (sharpness, 0.0)
    )
    assert sharp.videos.tolist() == plain.videos.tolist()
    assert sharp.scores.tolist() == plain.scores.tolist()
    assert sharp.windows.tolist() == plain.windows.tolist()
    if sharpness == 0:
        assert sharp.starts.tolist() == plain.starts.tolist()


def test_sharpening_is_joining_by_exponentials():
    rng = np.random.default_rng(3)
    spans = windows(20, 2, 0.5)
    scores = rng.uniform(-0.2, 0.8, len(spans))
    sharp = merge_windows(scores, spans, background=0.05, sharpness=15)
    by_hand = merge_windows(np.exp(15 * scores), spans, background=float(np.exp(15 * 0.05)))
    edges = [[(moment.start, moment.end) for moment in each] for each in (sharp, by_hand)]
    assert np.allclose(*edges)


def test_sharpening_tells_a_shot_from_one_like_it():
    spans = windows(9, 2, 0.5)
    scores = 0.1 + 0.6 * shares(spans, 0, 4.5) + 0.45 * shares(spans, 4.5, 9)
    plain = merge_windows(scores, spans, background=0.0)[0]
    sharp = merge_windows(scores, spans, background=0.0, sharpness=15)[0]
    truth = Span(0, 4.5)
    assert Span(sharp.start, sharp.end).iou(truth) >= 0.8
    assert Span(plain.start, plain.end).iou(truth) <= 0.5


def test_what_scores_below_everything_else_overflows_nothing():
    spans = windows(9, 2, 0.5)
    merge_windows(np.zeros(len(spans)), spans, background=1000.0, sharpness=30)
    scores = np.linspace(-1000, 1000, len(spans))
    assert merge_windows(scores, spans, background=0.0, sharpness=30)[0].score == 1000


@given(
    st.lists(videos(), min_size=1, max_size=5),
    st.sampled_from([None, 1, 2]),
    st.sampled_from([0.0, 15.0]),
)
def test_many_videos_at_once_are_each_as_alone(given_videos, most, sharpness):
    background = given_videos[0][2]
    scores = np.concatenate([video[0] for video in given_videos])
    spans = np.concatenate([video[1] for video in given_videos])
    offsets = np.append(0, np.cumsum([len(video[0]) for video in given_videos]))
    found = merge_videos(
        scores, spans, offsets, background=background, most=most, sharpness=sharpness
    )
    for place, (own_scores, own_spans, _) in enumerate(given_videos):
        alone = merge_windows(own_scores, own_spans, background=background, sharpness=sharpness)
        rows = np.flatnonzero(found.videos == place)
        wanted = alone[:most]
        assert found.others[rows].tolist() == [len(alone) - len(wanted)] * len(wanted)
        assert found.starts[rows].tolist() == [moment.start for moment in wanted]
        assert found.ends[rows].tolist() == [moment.end for moment in wanted]
        assert found.peaks[rows].tolist() == [moment.peak for moment in wanted]
        assert scores[found.windows[rows]].tolist() == [moment.score for moment in wanted]


def test_the_neighbouring_video_does_not_reach_over():
    spans = np.array([[0.0, 2], [1, 3], [0, 2], [1, 3]])
    found = merge_videos(np.array([0.0, 0.9, 0.8, 0.0]), spans, np.array([0, 2, 4]), background=0.0)
    assert found.videos.tolist() == [0, 1]
    assert found.starts[0] > found.starts[1] == 0
    assert found.ends[1] < found.ends[0] == 3
