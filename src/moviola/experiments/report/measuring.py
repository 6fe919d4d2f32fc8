"""Prepare an experiment's rows for networks, and measure their results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moviola.align.data.rows import RaggedRows
from moviola.align.training.batches import PairedRows
from moviola.core import Clip, Embeddings, Scores
from moviola.core.embeddings import ItemT
from moviola.core.pooling import pool
from moviola.evaluate import RetrievalResult, evaluate
from moviola.experiments.report.data import ExperimentData

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float16 | np.float32]


def paired_rows(data: ExperimentData, clips: Embeddings[Clip], *, pooled: bool) -> PairedRows:
    """Gather texts and clips as networks take them.

    Args:
        data: of the experiment.
        clips: those of `data`, or the same behind the LLaMA.
        pooled: whether several rows of an item become their mean.
    """
    return PairedRows(_rows(data.texts, pooled=pooled), _rows(clips, pooled=pooled), data.owner)


def measure(data: ExperimentData, texts: Floats, clips: Floats) -> RetrievalResult:
    """Measure both directions on the test videos, with intervals.

    Args:
        data: of the experiment.
        texts: `(N, D)` vectors of the texts of the test videos, in the order of the data.
        clips: `(M, D)` vectors of the test videos, likewise; scored by the dot product.
    """
    some = data.test_texts
    scores = Scores(
        [data.texts.items[row].id for row in some],
        [data.clips.items[row].id for row in data.test_clips],
        texts @ clips.T,
    )
    return evaluate(scores, data.qrels(some))


def _rows(embeddings: Embeddings[ItemT], *, pooled: bool) -> RaggedRows:
    unpooled = pooled and not embeddings.is_pooled
    return RaggedRows.of(pool(embeddings, "mean") if unpooled else embeddings)
