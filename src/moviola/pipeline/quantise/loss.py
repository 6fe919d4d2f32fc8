"""Measure what codes lose: in R@K where captions are there, else in neighbours that are found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from moviola.core import Clip, Embeddings, ScoreBlocks, Text
from moviola.core.row_codes import RowCodes
from moviola.evaluate.bootstrap import Column, interval, resample
from moviola.evaluate.comparing import compare
from moviola.evaluate.measures import parse_measures
from moviola.evaluate.retrieval import evaluate_one_way
from moviola.pipeline.inputs.pairing import Pairs
from moviola.score import RowScoring, score_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float64]

MEASURES = ("R@1", "R@5", "R@10")
#: Items that are re-scored by their exact rows.
RESCORED = 100
_NEAREST = 10
_ASKED = 256


@dataclass(frozen=True, slots=True)
class Loss:
    """Hold one measure by exact rows, and by codes.

    Attributes:
        measure: its name.
        rescored: items of a query that were scored exactly in the end; 0 for codes alone.
        exact: by exact rows alone, in percent.
        coded: by codes.
        difference: coded less exact.
        low: lower end of the 95 % bootstrap interval of the difference, paired over queries.
        high: its upper end.
    """

    measure: str
    rescored: int
    exact: float
    coded: float
    difference: float
    low: float
    high: float

    def to_json(self) -> dict[str, Any]:
        """Convert to JSON values."""
        return asdict(self)


def measure_loss(pairs: Pairs, codes: RowCodes) -> list[Loss]:
    """Measure R@1, R@5 and R@10 of texts among clips whose rows are codes.

    Raises:
        SpaceMismatchError: when texts and clips live in two spaces.
        ValueError: when a row has no direction.
    """
    measures = parse_measures(MEASURES)
    texts, clips, qrels = pairs
    blocks = score_rows(texts, clips, RowScoring())
    exact = evaluate_one_way(blocks, qrels, measures=measures, resamples=0)
    found: list[Loss] = []
    for rescored, scoring in _scorings(codes):
        blocks = score_rows(texts, clips, scoring, codes=codes)
        coded = evaluate_one_way(blocks, qrels, measures=measures, resamples=0)
        for name, each in compare(exact.per_query, coded.per_query, measures).items():
            found.append(Loss(name, rescored, each.a, each.b, each.difference, *each.interval))
    return found


def measure_neighbours(clips: Embeddings[Clip], codes: RowCodes, *, seed: int = 0) -> list[Loss]:
    """Measure how many of the ten nearest of a clip are found by codes, for at most 256 clips.

    This needs no captions; it tells of clips as queries, and not of texts.

    Raises:
        ValueError: when a row has no direction, or there is no other clip.
    """
    if len(clips) < 2:
        raise ValueError("one clip has no neighbours by which a loss could be measured")
    some = np.sort(np.random.default_rng(seed).permutation(len(clips))[:_ASKED])
    asked = Embeddings[Text].from_rows(
        [Text(clips.items[place].id, "") for place in some],
        [clips.rows(int(place)) for place in some],
        clips.space,
        clips.readout,
    )
    count = min(_NEAREST, len(clips) - 1)
    wanted = _nearest(score_rows(asked, clips, RowScoring()), some, count)
    found: list[Loss] = []
    for rescored, scoring in _scorings(codes):
        near = _nearest(score_rows(asked, clips, scoring, codes=codes), some, count)
        values = np.array(
            [
                len(set(mine) & set(theirs)) / count
                for mine, theirs in zip(near, wanted, strict=True)
            ]
        )
        column = Column(values, scale=100.0)
        low, high = interval(resample([column], resamples=1000, seed=seed)[0])
        coded = column.aggregate
        name = f"neighbours@{count}"
        found.append(Loss(name, rescored, 100.0, coded, coded - 100, low - 100, high - 100))
    return found


def _scorings(codes: RowCodes) -> list[tuple[int, RowScoring]]:
    """List the ways that are measured: codes alone, and with re-scoring."""
    # Re-scoring the best item alone changes no order.
    ways = ((0, 1), (RESCORED, RESCORED))
    return [(told, RowScoring("maxsim", codes.name, rescore=count)) for told, count in ways]


def _nearest(scores: ScoreBlocks, own: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Find the places of the `count` best items of each query but for itself, `(Q, count)`."""
    matrix = np.array(scores.block(slice(None)))
    matrix[np.arange(len(own)), own] = -np.inf
    return np.argsort(-matrix, axis=1, kind="stable")[:, :count]
