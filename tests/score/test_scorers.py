"""One place chooses how two sides are scored, whole or in blocks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from moviola.core import Clip, Embeddings, Readout, Space, Span, Text
from moviola.score import score_blocks, scorer_for

RNG = np.random.default_rng(8)


def _sides(metric: str, counts: tuple[list[int], list[int]]):
    space = Space("toy", "1", "w", 6, metric)
    rows = [[RNG.normal(size=(n, 6)).astype(np.float32) for n in each] for each in counts]
    texts = [Text(f"t{i}", "") for i in range(len(counts[0]))]
    clips = [Clip(f"v{i}", Path(), Span(0, 1)) for i in range(len(counts[1]))]
    return (
        Embeddings.from_rows(texts, rows[0], space, Readout("a")),
        Embeddings.from_rows(clips, rows[1], space, Readout("b")),
    )


@pytest.mark.parametrize(
    ("metric", "counts", "name"),
    [
        ("cosine", ([1, 1, 1], [1, 1]), "cosine"),
        ("dot", ([1, 1, 1], [1, 1]), "dot"),
        ("cosine", ([1, 2, 1], [1, 1]), "maxsim"),
        ("cosine", ([1, 1, 1], [3, 1]), "maxsim"),
    ],
)
def test_the_whole_matrix_and_blocks_agree(metric, counts, name):
    texts, clips = _sides(metric, counts)
    scorer = scorer_for(texts, clips)
    assert scorer.name == name
    whole, blocks = scorer(texts, clips), score_blocks(texts, clips)
    np.testing.assert_allclose(blocks.block(slice(1, 3)), whole.matrix[1:3], rtol=1e-5)
    turned = blocks.transposed().block(np.array([1]))
    np.testing.assert_allclose(turned, whole.matrix.T[[1]], rtol=1e-5)


def test_dot_products_keep_lengths_and_refuse_several_rows():
    texts, clips = _sides("dot", ([1, 1], [1, 1]))
    found = score_blocks(texts, clips).block(slice(0, 2))
    np.testing.assert_allclose(found, texts.vectors @ clips.vectors.T, rtol=1e-5)
    texts, clips = _sides("dot", ([2, 1], [1, 1]))
    for score in (score_blocks, scorer_for(texts, clips)):
        with pytest.raises(ValueError, match="pool them first"):
            score(texts, clips)
