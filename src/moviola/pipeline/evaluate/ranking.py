"""Rank and measure embeddings without the score matrix, on a GPU where that is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import Clip, Embeddings, Hit, Qrels, Text
from moviola.evaluate import DEFAULT_MEASURES, Combined, Measure, RetrievalResult, Ties, evaluate
from moviola.evaluate.report.facts import top_columns
from moviola.score import BankCorrection, adjust_blocks, score_blocks

if TYPE_CHECKING:
    from moviola.score.blocks import Multiplier, Rows

#: Scores that are corrected at a time, 16 MiB of float64.
_AT_ONCE = 2 << 20


def evaluate_embeddings(
    texts: Embeddings[Text],
    clips: Embeddings[Clip],
    qrels: Qrels,
    *,
    unaligned: bool = False,
    device: str | None = None,
    ties: Ties = "expected",
    tolerance: float | None = None,
    measures: Sequence[Measure | Combined | str] = DEFAULT_MEASURES,
    resamples: int = 1000,
    seed: int = 0,
) -> RetrievalResult:
    """Measure retrieval in both directions, exact, in memory that the vectors bound.

    What `evaluate` says of the whole matrix that `scorer_for` would make; only a block of it exists
    at a time. 100,000 texts and clips of 512 numbers take about 1 GiB instead of 40.

    Args:
        texts: N texts.
        clips: M clips.
        qrels: text id to the ids of the clips it describes.
        unaligned: compare vectors of two spaces all the same; the result says so.
        device: where cosines are computed, as torch names it; None for NumPy. With 20,000 texts
            and clips an H200 took half as long again as 16 cores, for bringing the scores back
            takes longer than computing them.
        ties: as `evaluate`.
        tolerance: as `evaluate`.
        measures: as `evaluate`.
        resamples: as `evaluate`.
        seed: as `evaluate`.

    Raises:
        SpaceMismatchError: when texts and clips live in two spaces.
        ValueError: as `evaluate`, and when a row is zero, NaN or infinite.
    """
    multiplier = None if device is None else torch_multiplier(device)
    blocks = score_blocks(texts, clips, unaligned=unaligned, multiplier=multiplier)
    return evaluate(
        blocks,
        qrels,
        ties=ties,
        tolerance=tolerance,
        measures=measures,
        resamples=resamples,
        seed=seed,
    )


def rank_corrected(
    texts: Embeddings[Text],
    clips: Embeddings[Clip],
    correct: BankCorrection,
    *,
    top: int = 10,
    unaligned: bool = False,
) -> Iterator[list[Hit]]:
    """Find the best clips of each text under a correction for hubs, best first, text after text.

    What the correction makes of the whole matrix of scores; only a block of it exists at a time.
    The clips of `Library.embeddings()` are whole videos. The correction has learnt from a bank:

        clips = library.embeddings()
        bank = maxsim(training_captions, clips)
        for text, hits in zip(texts.items, rank_corrected(texts, clips, QBNorm(bank))): ...

    Args:
        texts: what is asked.
        clips: the gallery; an item of several rows is scored by MaxSim.
        correct: with a bank, scores of training captions against `clips`.
        top: at most this many clips a text.
        unaligned: compare vectors of two spaces all the same.

    Raises:
        SpaceMismatchError: when texts and clips live in two spaces.
        ValueError: when the correction is transductive, when its bank is about other clips, or
            when a row is zero, NaN or infinite.
    """
    blocks = score_blocks(texts, clips, unaligned=unaligned)
    step = max(1, _AT_ONCE // max(1, len(clips)))
    found = adjust_blocks(blocks, correct, queries=step)
    depth = max(0, min(top, len(clips)))
    return (
        [_hit(clips.items[int(column)], row[column]) for column in columns]
        for _, scores in found
        for row, columns in zip(scores, top_columns(scores, depth), strict=True)
    )


def _hit(clip: Clip, score: float) -> Hit:
    return Hit(clip.id, clip.span, float(score))


def torch_multiplier(device: str) -> Multiplier:
    """Multiply rows by torch on `device`, in full float32: by TF32 near ties fall at random."""
    import torch

    from moviola.encode.runtime.precision import float32_products

    def prepare(gallery: Rows) -> Callable[[Rows], Rows]:
        there = torch.from_numpy(gallery).to(device)

        def multiply(queries: Rows) -> Rows:
            asked = torch.from_numpy(np.ascontiguousarray(queries)).to(device)
            with float32_products("highest"):
                return (asked @ there.T).cpu().numpy()

        return multiply

    return prepare
