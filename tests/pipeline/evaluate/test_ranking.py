from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from moviola.core import (
    Clip,
    Embeddings,
    Qrels,
    Readout,
    Scores,
    Space,
    SpaceMismatchError,
    Span,
    Text,
)
from moviola.evaluate import RetrievalResult, evaluate
from moviola.pipeline.evaluate.ranking import evaluate_embeddings
from moviola.score import cosine, maxsim, score_blocks


def _texts(rows: list[np.ndarray], model: str = "") -> Embeddings[Text]:
    space = Space(model, "", "", rows[0].shape[1])
    items = [Text(f"t{number}", "") for number in range(len(rows))]
    return Embeddings.from_rows(items, rows, space, Readout("none"))


def _clips(rows: list[np.ndarray], model: str = "") -> Embeddings[Clip]:
    space = Space(model, "", "", rows[0].shape[1])
    items = [Clip(f"v{number}", Path(), Span(0, 1)) for number in range(len(rows))]
    return Embeddings.from_rows(items, rows, space, Readout("none"))


def _rows(seed: int, count: int, lengths: tuple[int, int] = (1, 2), dimension: int = 16):
    """Rows of which each is one of the axes and its sign: cosines are exact in any order."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        axes = rng.integers(0, dimension, rng.integers(*lengths))
        made.append(np.eye(dimension, dtype=np.float32)[axes] * rng.choice([-2.0, 0.5, 3.0]))
    return [block.astype(np.float32) for block in made]


def _qrels(texts: int, clips: int, seed: int = 0) -> Qrels:
    rng = np.random.default_rng(seed)
    return Qrels(
        {
            f"t{text}": frozenset(f"v{clip}" for clip in rng.integers(0, clips, rng.integers(1, 4)))
            for text in range(0, texts, 2)
        }
    )


def _same(one: RetrievalResult, other: RetrievalResult) -> None:
    assert one.notes == other.notes
    assert one.tolerance == other.tolerance
    for side, there in ((one.t2v, other.t2v), (one.v2t, other.v2t)):
        assert side.queries == there.queries
        assert side.aggregates == there.aggregates
        assert side.intervals == there.intervals
        assert side.tied == there.tied
        for measure, values in side.per_query.items():
            assert np.array_equal(values, there.per_query[measure])


@pytest.mark.parametrize("device", [None, "cpu"])
def test_blocks_give_what_the_matrix_gives(device: str | None) -> None:
    texts, clips, qrels = _texts(_rows(1, 700)), _clips(_rows(2, 301)), _qrels(700, 301)
    found = evaluate_embeddings(texts, clips, qrels, device=device, resamples=20)
    _same(found, evaluate(cosine(texts, clips), qrels, resamples=20))
    assert found.t2v.tied > 100


def test_blocks_of_late_interaction_give_what_the_matrix_gives() -> None:
    texts, clips = _texts(_rows(1, 300, (1, 5))), _clips(_rows(2, 210, (1, 9)))
    qrels = _qrels(300, 210)
    found = evaluate_embeddings(texts, clips, qrels, resamples=0)
    _same(found, evaluate(maxsim(texts, clips), qrels, resamples=0))


def test_ordinary_vectors_rank_as_in_the_matrix() -> None:
    rng = np.random.default_rng(3)
    videos = rng.normal(size=(400, 24)).astype(np.float32)
    captions = videos + 0.8 * rng.normal(size=videos.shape).astype(np.float32)
    texts, clips = _texts(list(captions[:, None])), _clips(list(videos[:, None]))
    qrels = Qrels({f"t{number}": frozenset([f"v{number}"]) for number in range(400)})
    one = evaluate_embeddings(texts, clips, qrels, resamples=0)
    other = evaluate(cosine(texts, clips), qrels, resamples=0)
    assert one.t2v.aggregates == other.t2v.aggregates
    assert one.v2t.aggregates == other.v2t.aggregates


def test_a_block_is_the_rows_of_the_matrix() -> None:
    texts, clips = _texts(_rows(4, 9, (1, 4))), _clips(_rows(5, 7, (1, 4)))
    blocks, matrix = score_blocks(texts, clips), maxsim(texts, clips).matrix
    some = np.array([7, 0, 3])
    assert np.array_equal(blocks.block(some), matrix[some])
    assert np.array_equal(blocks.block(slice(2, 5)), matrix[2:5])
    turned = blocks.transposed()
    assert turned.queries == [f"v{number}" for number in range(7)]
    assert np.array_equal(turned.block(slice(1, 4)), matrix.T[1:4])
    assert np.array_equal(turned.transposed().block(some), matrix[some])


def test_scores_are_blocks_too() -> None:
    scores = Scores(["a", "b"], ["x", "y", "z"], np.arange(6, dtype=np.float32).reshape(2, 3))
    turned = scores.transposed().block(np.array([2, 0]))
    assert turned.tolist() == [[2.0, 5.0], [0.0, 3.0]]
    assert turned.flags.c_contiguous


def test_two_spaces_are_refused_unless_that_was_asked_for() -> None:
    texts, clips = _texts(_rows(1, 5), "one"), _clips(_rows(2, 5), "other")
    qrels = Qrels({"t0": frozenset({"v0"})})
    with pytest.raises(SpaceMismatchError):
        evaluate_embeddings(texts, clips, qrels)
    assert evaluate_embeddings(texts, clips, qrels, unaligned=True).notes == ("unaligned",)


def test_the_matrix_never_exists() -> None:
    count = 6000
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(count, 8)).astype(np.float32)
    texts, clips = _texts(list(vectors[:, None])), _clips(list(vectors[:, None]))
    qrels = Qrels({f"t{number}": frozenset([f"v{number}"]) for number in range(0, count, 3)})
    tracemalloc.start()
    result = evaluate_embeddings(texts, clips, qrels, resamples=0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert result.t2v["R@1"] == 100.0
    assert peak < 0.6 * count * count * 4
