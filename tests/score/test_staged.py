"""Scoring rows in stages: equal to exact MaxSim where all go on, and near it where few do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moviola.core import Clip, Embeddings, Readout, Space, SpaceMismatchError, Span, Text
from moviola.score import RowScoring, cosine, encode_embeddings, maxsim, score_rows
from moviola.score.staged import mean_rows

READOUT = Readout("x")


def embed(kind, seed, counts, width=24, *, space=None, dtype=np.float32):
    random = np.random.default_rng(seed)
    items = [
        Clip(f"c{i}", None, Span(0, 1)) if kind == "clips" else Text(f"t{i}", "")
        for i in range(len(counts))
    ]
    rows = [(random.normal(size=(n, width)) * 3 + 0.5).astype(dtype) for n in counts]
    return Embeddings.from_rows(items, rows, space or Space.anonymous(width), READOUT)


def naive(texts, clips):
    """Average the best cosine of each text row with any clip row, one pair after another."""
    found = np.empty((len(texts), len(clips)))
    for i in range(len(texts)):
        for j in range(len(clips)):
            best = []
            for row in texts.rows(i).astype(np.float64):
                others = clips.rows(j).astype(np.float64)
                lengths = np.linalg.norm(others, axis=1) * np.linalg.norm(row)
                best.append(max(others @ row / lengths))
            found[i, j] = np.mean(best)
    return found


SPECS = ["two-stage,k=9", "maxsim,codes=int8,rescore=9", "two-stage,k=9,codes=binary,rescore=9"]


@given(
    st.integers(0, 99),
    st.lists(st.integers(1, 5), min_size=1, max_size=7),
    st.lists(st.integers(1, 5), min_size=1, max_size=9),
    st.sampled_from(["maxsim", *SPECS]),
)
@settings(max_examples=60, deadline=None)
def test_stages_that_let_all_go_on_are_exact_both_ways(seed, some, others, spec):
    texts, clips = embed("texts", seed, some), embed("clips", seed + 1, others)
    scoring = RowScoring.parse(spec)
    scoring = RowScoring(scoring.name, scoring.codes, 9, 9)
    blocks = score_rows(texts, clips, scoring)
    wanted = naive(texts, clips)
    np.testing.assert_allclose(blocks.block(slice(None)), wanted, atol=1e-5)
    np.testing.assert_allclose(blocks.transposed().block(slice(None)), wanted.T, atol=1e-5)
    assert blocks.notes == ()


@pytest.mark.parametrize("spec", ["maxsim", *SPECS])
def test_one_row_an_item_is_the_cosine(spec):
    texts, clips = embed("texts", 1, [1] * 5), embed("clips", 2, [1] * 9)
    blocks = score_rows(texts, clips, RowScoring.parse(spec))
    np.testing.assert_allclose(blocks.block(slice(None)), cosine(texts, clips).matrix, atol=1e-5)


@pytest.mark.parametrize(
    "spec",
    ["two-stage,k=7", "maxsim,codes=binary,rescore=7", "two-stage,k=20,codes=int8,rescore=7"],
)
@pytest.mark.parametrize("turned", [False, True])
def test_few_are_exact_and_stand_above_the_others(spec, turned):
    texts, clips = embed("texts", 3, [4] * 40), embed("clips", 4, [6] * 40)
    exact, blocks = maxsim(texts, clips), score_rows(texts, clips, RowScoring.parse(spec))
    if turned:
        exact, blocks = exact.transposed(), blocks.transposed()
    wanted, found = exact.block(slice(None)), blocks.block(np.arange(40))
    for ours, theirs in zip(found, wanted, strict=True):
        order = np.argsort(-ours)
        np.testing.assert_allclose(ours[order[:7]], theirs[order[:7]], atol=1e-5)
        assert ours[order[7]] < -1
        assert np.isfinite(ours).all()
    assert any("exact MaxSim orders the best 7" in note for note in blocks.notes)


def test_two_stages_choose_by_the_mean_vector():
    texts, clips = embed("texts", 5, [3] * 4), embed("clips", 6, [5] * 30)
    means = mean_rows(texts) @ mean_rows(clips).T
    found = score_rows(texts, clips, RowScoring("two-stage", k=3)).block(slice(None))
    for ours, mean in zip(found, means, strict=True):
        assert set(np.argsort(-ours)[:3]) == set(np.argsort(-mean)[:3])
        # Those left behind keep the order of the means.
        np.testing.assert_array_equal(np.argsort(-ours)[3:], np.argsort(-mean)[3:])


@pytest.mark.parametrize("codes", ["int8", "binary"])
def test_codes_with_rescoring_find_what_exact_rows_find(codes):
    """Of texts that describe a clip noisily, at least 98 % have the best hit that they should."""
    clips = embed("clips", 8, [8] * 400, 96)
    random = np.random.default_rng(9)
    rows = [clips.rows(i)[:3] + 8 * random.normal(size=(3, 96)) for i in range(400)]
    texts = Embeddings.from_rows(
        [Text(f"t{i}", "") for i in range(400)],
        [own.astype(np.float32) for own in rows],
        clips.space,
        READOUT,
    )
    exact = maxsim(texts, clips).matrix
    assert 0.5 < np.mean(exact.argmax(axis=1) == np.arange(400)) < 0.99
    found = score_rows(texts, clips, RowScoring("maxsim", codes, rescore=50)).block(slice(None))
    assert np.mean(exact.argmax(axis=1) == found.argmax(axis=1)) >= 0.98


def test_codes_that_are_there_are_used_and_must_fit():
    texts, clips = embed("texts", 9, [2] * 3), embed("clips", 10, [3] * 8, dtype=np.float16)
    scoring = RowScoring("maxsim", "int8", rescore=2)
    codes = encode_embeddings(clips, "int8")
    np.testing.assert_array_equal(
        score_rows(texts, clips, scoring, codes=codes).block(slice(None)),
        score_rows(texts, clips, scoring).block(slice(None)),
    )
    with pytest.raises(ValueError, match="codes of 23 rows are not those of 24"):
        score_rows(texts, clips, scoring, codes=codes.take(slice(23)))


@pytest.mark.parametrize("bad", [0, np.nan, np.inf])
@pytest.mark.parametrize("spec", ["maxsim", *SPECS])
@pytest.mark.parametrize("side", [0, 1])
def test_rows_without_a_direction_are_refused(bad, spec, side):
    both = [embed("texts", 1, [2] * 3), embed("clips", 2, [3] * 3)]
    both[side].vectors[4] = bad
    with pytest.raises(ValueError, match="has no direction"):
        score_rows(*both, RowScoring.parse(spec))


def test_two_spaces_and_dot_products_are_refused():
    other, dot = Space("m", "1", "w", 24), Space("m", "1", "w", 24, "dot")
    texts, clips = embed("texts", 1, [1]), embed("clips", 2, [1], space=other)
    with pytest.raises(SpaceMismatchError):
        score_rows(texts, clips, RowScoring())
    assert score_rows(texts, clips, RowScoring(), unaligned=True).notes == ("unaligned",)
    sides = embed("texts", 1, [1], space=dot), embed("clips", 2, [1], space=dot)
    with pytest.raises(ValueError, match="means dot products"):
        score_rows(*sides, RowScoring())


def test_means_of_rows_that_cancel_have_a_direction():
    clips = [Clip("c", None, Span(0, 1))]
    rows = [np.float32([[2, 0], [-2, 0]])]
    made = Embeddings.from_rows(clips, rows, Space.anonymous(2), READOUT)
    np.testing.assert_allclose(mean_rows(made), [[1, 0]])


def test_means_of_items_that_cross_blocks_are_whole(monkeypatch):
    clips = embed("clips", 3, [5, 1, 9, 2])
    wanted = mean_rows(clips)
    blocks = Embeddings.blocks
    monkeypatch.setattr(Embeddings, "blocks", lambda self: blocks(self, 4))
    np.testing.assert_allclose(mean_rows(clips), wanted, atol=1e-6)


def test_names_with_options_are_parsed_and_written_back():
    for spec in ("maxsim", *SPECS, "two-stage,k=100"):
        assert RowScoring.parse(spec).spec == spec
    assert RowScoring.parse("two-stage").k == 100
    assert RowScoring.parse("xclip-base-patch32,output=conditioned") is None
    for wrong, why in {
        "maxsim,k=3": "'k' is no option of it; it takes codes",
        "two-stage,rescore=3": "'rescore' is no option",
        "two-stage,k=0": "at least 1, not '0'",
        "two-stage,k=many": "not 'many'",
        "two-stage,k=": "not ''",
        "maxsim,codes=int4": "codes are int8 or binary, not 'int4'",
        "maxsim,": "'' is no option",
    }.items():
        with pytest.raises(ValueError, match=why):
            RowScoring.parse(wrong)
