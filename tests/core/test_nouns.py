from __future__ import annotations

import math
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moviola.core import (
    Clip,
    ConsecutiveSampler,
    Embeddings,
    ExitCode,
    FileCode,
    Frames,
    MoviolaError,
    Qrels,
    RateSampler,
    Readout,
    Scores,
    Space,
    SpaceMismatchError,
    Span,
    Text,
    UniformSampler,
    Waveform,
    clip_id,
    display_path,
)

TIMES = st.floats(0, 1e5, allow_nan=False)


@st.composite
def spans(draw):
    start = draw(TIMES)
    return Span(start, start + draw(st.floats(0.01, 1e4)))


@given(spans(), spans())
def test_overlap_is_symmetric_and_bounded(one, two):
    assert one.overlap(two) == two.overlap(one)
    assert 0 <= one.iou(two) <= 1
    assert one.iou(one) == 1
    assert one.overlap(two) <= min(one.duration, two.duration) + 1e-9
    assert one.start < one.middle < one.end


def test_touching_spans_share_nothing():
    assert Span(0, 1).overlap(Span(1, 2)) == 0


@pytest.mark.parametrize(("start", "end"), [(-1, 1), (1, 1), (2, 1), (0, math.inf), (math.nan, 1)])
def test_what_is_no_span_is_refused(start, end):
    with pytest.raises(ValueError, match="a span needs"):
        Span(start, end)


@given(spans(), st.integers(1, 64))
def test_uniform_times_are_inside_and_even(span, count):
    times = UniformSampler(count).times(span)
    assert len(times) == count
    assert (times >= span.start).all()
    assert (times < span.end).all()
    if count > 1:
        np.testing.assert_allclose(np.diff(times), span.duration / count, rtol=1e-3, atol=1e-9)


@given(spans(), st.floats(0.1, 30), st.integers(1, 64))
def test_rate_times_are_inside_and_bounded(span, rate, at_most):
    sampler = RateSampler(rate, at_most)
    times = sampler.times(span)
    assert 1 <= len(times) <= at_most
    assert times.dtype == np.float64
    assert (np.diff(times) >= 0).all()
    assert (times >= span.start).all()
    assert (times < span.end).all()
    copy = pickle.loads(pickle.dumps(sampler))  # noqa: S301 - our own bytes
    np.testing.assert_array_equal(copy.times(span), times)


def test_a_rate_keeps_its_step_and_forgives_rounding():
    sampler = RateSampler(4, 64)
    np.testing.assert_allclose(np.diff(sampler.times(Span(1, 3))), 0.25)
    assert len(sampler.times(Span(0, 1.9999999))) == 8
    assert sampler.spec == "rate:4/64"
    for wrong in ((0, 1), (-1, 1), (1, 0), (math.nan, 1)):
        with pytest.raises(ValueError, match="positive rate"):
            RateSampler(*wrong)
    with pytest.raises(ValueError, match="at least one frame"):
        UniformSampler(0)
    for wrong in ((0, 0), (8, -1)):
        with pytest.raises(ValueError, match="at least one frame and a seed"):
            ConsecutiveSampler(*wrong)


def test_clip_ids_follow_content_and_microseconds():
    assert clip_id("a", Span(0, 1)) == clip_id("a", Span(1e-8, 1 + 1e-8))
    different = {clip_id("a", Span(0, 1)), clip_id("b", Span(0, 1)), clip_id("a", Span(0, 1.00001))}
    assert len(different) == 3
    assert all(len(each) == 32 for each in different)


@given(st.lists(st.binary(min_size=1, max_size=12), min_size=2, max_size=2, unique=True))
def test_shown_paths_are_printable_and_unambiguous(names):
    decoded = [os.fsdecode(name) for name in names]
    shown = [display_path(name) for name in decoded]
    assert all(each.isprintable() for each in shown)
    # One ambiguity is accepted: an ordinary name that spells out an escape keeps its backslash.
    if not any("\\" in each for each in decoded):
        assert shown[0] != shown[1]


FIELDS = {"model": "m", "revision": "1", "weights": "w", "dimension": 4, "metric": "cosine"}


@pytest.mark.parametrize(
    "change", [{"model": "n"}, {"revision": "2"}, {"weights": "x"}, {"dimension": 5},
               {"metric": "dot"}, {"head": "h"}],
)  # fmt: skip
def test_every_part_of_a_space_counts(change):
    one, two = Space(**FIELDS), Space(**(FIELDS | change))
    assert one.digest != two.digest
    with pytest.raises(SpaceMismatchError, match=next(iter(change))):
        one.require(two, what="the query")
    one.require(Space(**FIELDS), what="the query")
    assert one.digest == Space(**FIELDS).digest


def test_anonymous_spaces_know_only_their_dimension():
    assert Space.anonymous(3) == Space.anonymous(3)
    assert Space.anonymous(3).is_anonymous
    assert not Space(**FIELDS).is_anonymous


@pytest.mark.parametrize(
    "part", ["preprocessing", "sampling", "prompt", "layer", "tokens", "pooling"]
)
def test_every_part_of_a_readout_counts(part):
    one, two = Readout("crop"), Readout(**({"preprocessing": "crop"} | {part: "else"}))
    assert one.digest != two.digest
    with pytest.raises(SpaceMismatchError, match=f"read in another way: {part}"):
        one.require(two, what="it")


def embeddings(counts, cuts=()):
    rows = np.arange(sum(counts) * 2, dtype=np.float32).reshape(-1, 2)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    shards = np.split(rows, sorted({cut for cut in cuts if 0 < cut < len(rows)}))
    items = [Text(str(i), "") for i in range(len(counts))]
    return rows, Embeddings(items, offsets, shards, Space.anonymous(2), Readout("x"))


@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=8), st.sets(st.integers(0, 40)),
    st.integers(1, 9),
)  # fmt: skip
def test_rows_and_blocks_do_not_care_for_shards(counts, cuts, size):
    rows, made = embeddings(counts, cuts)
    for index in range(len(counts)):
        own = rows[made.offsets[index] : made.offsets[index + 1]]
        np.testing.assert_array_equal(made.rows(index), own)
    blocks = list(made.blocks(size))
    np.testing.assert_array_equal(np.concatenate([block for _, block in blocks]), rows)
    assert all(len(block) <= size for _, block in blocks)
    for where, block in blocks:
        np.testing.assert_array_equal(rows[where], block)
    assert made.is_pooled == all(count == 1 for count in counts)
    with pytest.raises(IndexError):
        made.rows(len(counts))


def test_parts_that_do_not_fit_are_refused():
    items, space, readout = [Text("a", ""), Text("b", "")], Space.anonymous(2), Readout("x")
    rows = np.zeros((3, 2), np.float32)
    good = np.array([0, 1, 3])
    for offsets, shards, words in (
        (np.array([0, 3]), [rows], "offsets must be"),
        (good.astype(np.int32), [rows], "int64"),
        (np.array([1, 2, 3]), [rows], "start at 0"),
        (np.array([0, 0, 3]), [rows], "at least one row"),
        (good, [rows[:, :1]], r"rows must be \(m, 2\)"),
        (good, [rows.astype(np.float64)], "float16 or float32"),
        (good, [rows[:2]], "promise 3 rows, the shards hold 2"),
    ):
        with pytest.raises(ValueError, match=words):
            Embeddings(items, offsets, shards, space, readout)
    with pytest.raises(ValueError, match="distinct ids"):
        Embeddings([items[0]] * 2, good, [rows], space, readout)
    with pytest.raises(ValueError, match="2 shards"):
        _ = Embeddings(items, good, [rows[:1], rows[1:]], space, readout).vectors


def test_frames_carry_their_times():
    pixels = np.zeros((2, 4, 6, 3), np.uint8)
    assert len(Frames(pixels, np.array([0.0, 0.0]))) == 2
    for times in ([1.0, 0.0], [0.0], [0.0, np.nan]):
        with pytest.raises(ValueError, match="times"):
            Frames(pixels, np.array(times))
    with pytest.raises(ValueError, match="pixels must be"):
        Frames(pixels[..., :2], np.array([0.0, 1.0]))
    with pytest.raises(ValueError, match="samples must be"):
        Waveform(np.zeros(4, np.float32), 16000, 0.0)
    with pytest.raises(ValueError, match="rate"):
        Waveform(np.zeros((1, 4), np.float32), 0, 0.0)


@given(st.dictionaries(st.sampled_from("abcd"), st.frozensets(st.sampled_from("xyz"), min_size=1)))
def test_relevance_turned_twice_is_itself(relevant):
    assert Qrels(relevant).transposed().transposed() == Qrels(relevant)


def test_relevance_and_scores_are_checked():
    with pytest.raises(ValueError, match="leave it out"):
        Qrels({"a": frozenset()})
    with pytest.raises(ValueError, match=r"matrix must be \(1, 2\)"):
        Scores(["a"], ["x", "y"], np.zeros((2, 1)))
    with pytest.raises(ValueError, match="finite"):
        Scores(["a"], ["x"], np.array([[np.nan]]))


def test_codes_are_closed_and_errors_know_their_exit():
    assert FileCode.OK.has_clips
    assert FileCode.CORRUPT.is_failure
    assert not FileCode.DUPLICATE.is_failure
    codes = {error.exit_code for error in MoviolaError.__subclasses__()}
    assert codes <= set(ExitCode)
    assert SpaceMismatchError.exit_code == 4


def test_clips_point_and_pickle():
    clip = Clip("a", Path("x.mp4"), Span(0, 1))
    assert pickle.loads(pickle.dumps(clip)) == clip  # noqa: S301 - our own bytes


def test_core_imports_nothing_heavy():
    code = "import sys, moviola.core; heavy = {'torch', 'pyarrow', 'av', 'lancedb'}\n"
    code += "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=200)
