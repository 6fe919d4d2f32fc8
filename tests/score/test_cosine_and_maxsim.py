from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moviola.core import Clip, Embeddings, Readout, Space, SpaceMismatchError, Span, Text
from moviola.score import cosine, maxsim

SPACE = Space("tiny", "1", "abc", 4)
OTHER = Space("other", "1", "abc", 4)
READOUT = Readout("none")


def texts(rows, space=SPACE):
    items = [Text(f"t{i}", "words") for i in range(len(rows))]
    return Embeddings.from_rows(items, [np.atleast_2d(each) for each in rows], space, READOUT)


def clips(rows, space=SPACE):
    items = [Clip(f"c{i}", Path("x"), Span(0, 1)) for i in range(len(rows))]
    return Embeddings.from_rows(items, [np.atleast_2d(each) for each in rows], space, READOUT)


def draw_rows(rng, counts, dtype=np.float32):
    return [(rng.standard_normal((count, 4)) * 3).astype(dtype) for count in counts]


def naive_cosine(a, b):
    a, b = a.astype(np.float64), b.astype(np.float64)
    return float(a @ b / np.sqrt(a @ a) / np.sqrt(b @ b))


COUNTS = st.lists(st.integers(1, 5), min_size=1, max_size=6)


@settings(max_examples=40)
@given(COUNTS, COUNTS, st.sampled_from([np.float16, np.float32]), st.integers(0, 99))
def test_maxsim_agrees_with_a_fourfold_loop(text_counts, clip_counts, dtype, seed):
    rng = np.random.default_rng(seed)
    t, c = draw_rows(rng, text_counts, dtype), draw_rows(rng, clip_counts, dtype)
    expected = [
        [np.mean([max(naive_cosine(a, b) for b in clip) for a in text]) for clip in c] for text in t
    ]
    scores = maxsim(texts(t), clips(c))
    assert scores.matrix.dtype == np.float32
    np.testing.assert_allclose(scores.matrix, expected, atol=1e-6)


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 99))
def test_with_one_row_an_item_all_agree(n_texts, n_clips, seed):
    rng = np.random.default_rng(seed)
    t, c = draw_rows(rng, [1] * n_texts), draw_rows(rng, [1] * n_clips)
    scores = cosine(texts(t), clips(c))
    assert (list(scores.queries), list(scores.gallery)) == (
        [f"t{i}" for i in range(n_texts)],
        [f"c{i}" for i in range(n_clips)],
    )
    expected = [[naive_cosine(a[0], b[0]) for b in c] for a in t]
    np.testing.assert_allclose(scores.matrix, expected, atol=1e-6)
    np.testing.assert_allclose(maxsim(texts(t), clips(c)).matrix, expected, atol=1e-6)


def test_length_does_not_matter_even_at_the_ends_of_the_range():
    one = np.array([3, 4, 0, 0], np.float32)
    scores = cosine(texts([one * 1e30, one * 1e-30]), clips([one]))
    np.testing.assert_allclose(scores.matrix, [[1], [1]], rtol=1e-6)


@pytest.mark.parametrize("scorer", [cosine, maxsim])
def test_two_spaces_are_compared_only_when_asked_and_say_so(scorer):
    row = np.ones(4, np.float32)
    with pytest.raises(SpaceMismatchError, match="model"):
        scorer(texts([row], OTHER), clips([row]))
    assert scorer(texts([row], OTHER), clips([row]), unaligned=True).notes == ("unaligned",)
    assert scorer(texts([row]), clips([row]), unaligned=True).notes == ()


@pytest.mark.parametrize("scorer", [cosine, maxsim])
def test_two_dimensions_are_never_compared(scorer):
    short = texts([np.ones(3, np.float32)], Space.anonymous(3))
    with pytest.raises(ValueError, match="dimension 3 and clips of dimension 4"):
        scorer(short, clips([np.ones(4, np.float32)]), unaligned=True)


@pytest.mark.parametrize("scorer", [cosine, maxsim])
@pytest.mark.parametrize(
    ("bad", "words"),
    [(0.0, "'c1' is all zeros"), (np.nan, "'c1' holds NaN"), (np.inf, "'c1' holds NaN or inf")],
)
def test_a_vector_without_direction_is_named(scorer, bad, words):
    good = np.ones(4, np.float32)
    with pytest.raises(ValueError, match=words):
        scorer(texts([good]), clips([good, np.full(4, bad, np.float32)]))


def test_cosine_wants_pooled_rows():
    many, one = [np.ones((2, 4), np.float32)], [np.ones(4, np.float32)]
    with pytest.raises(ValueError, match="the clips have 2 rows for 1 items; pool them first"):
        cosine(texts(one), clips(many))
    with pytest.raises(ValueError, match="the texts have 2 rows"):
        cosine(texts(many), clips(one))
