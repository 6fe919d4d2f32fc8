"""Diagnose embeddings, or a score matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import Clip, Embeddings, Qrels, Scores, Text
from moviola.core.ranks import FLOAT32_TOLERANCE
from moviola.evaluate.diagnostics.copies import look_at_near_videos, look_at_words
from moviola.evaluate.diagnostics.findings import Diagnosis, Figures, Finding, conclude
from moviola.evaluate.diagnostics.geometry import look_at_geometry
from moviola.evaluate.diagnostics.pairs import (
    PAIRS,
    Relevance,
    alignment,
    look_at_gap,
    look_at_separation,
)
from moviola.evaluate.diagnostics.sides import Side, pair_cosines, side_of
from moviola.evaluate.diagnostics.survey import Question, survey
from moviola.evaluate.diagnostics.vectors import constant_finding, look_at_copies, look_at_numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moviola.evaluate.diagnostics.survey import Block

    Counts = NDArray[np.int64]

#: Queries that are asked, and videos that are compared with all others, at most.
SAMPLE = 2000


def diagnose(
    texts: Embeddings[Text],
    clips: Embeddings[Clip],
    qrels: Qrels,
    *,
    sample: int = SAMPLE,
    seed: int = 0,
) -> Diagnosis:
    """Look at pooled vectors of both sides, and at how they score.

    Everything is exact up to `sample` queries; beyond that a random sample is asked, against
    the whole gallery. What is looked at are directions and cosines, also where the metric of the
    space is the dot product. Memory is the vectors in float32, twice.

    Args:
        texts: one row a text; rows may be NaN, infinite or zero, which is a finding.
        clips: one row a clip; the same.
        qrels: text id to the ids of the clips it describes.
        sample: how many queries are asked at most.
        seed: of the sample.

    Raises:
        ValueError: when an item has several rows, or an id of `qrels` is unknown.
    """
    rng = np.random.default_rng(seed)
    sides = side_of("texts", texts), side_of("videos", clips)
    relevance = _relevance(qrels, sides[0].ids, sides[1].ids)
    findings: list[Finding] = []
    figures: Figures = {}
    for side in sides:
        found, figures[side.name] = _look_at_side(side, len(clips), rng)
        findings += found
    more, words = look_at_words([text.text for text in texts.items], _grouped(relevance))
    findings += more
    figures["texts"] |= words
    constant = any(figures[side.name]["constant"] for side in sides)
    if not figures["videos"]["constant"]:
        more, near = look_at_near_videos(sides[1], sample, rng)
        findings += more
        figures["videos"] |= near
    if sides[0].unit.shape[1] == sides[1].unit.shape[1]:
        more, together = _look_at_both(sides, relevance, sample, rng, constant=constant)
        findings += more
        figures |= together
    else:
        findings.append(_other_dimensions(sides))
    return conclude(findings, figures)


def diagnose_scores(
    scores: Scores, qrels: Qrels, *, sample: int = SAMPLE, seed: int = 0
) -> Diagnosis:
    """Look at a score matrix where there are no vectors.

    Args:
        scores: texts times videos.
        qrels: text id to the ids of the videos it describes.
        sample: how many queries are asked at most.
        seed: of the sample.

    Raises:
        ValueError: when an id of `qrels` is unknown.
    """
    rng = np.random.default_rng(seed)
    relevance = _relevance(qrels, scores.queries, scores.gallery)
    ids = list(scores.queries), list(scores.gallery)
    matrix = scores.matrix
    positives = matrix[relevance.sample(PAIRS, rng)].astype(np.float64)
    negatives = matrix[relevance.negatives(matrix.shape, PAIRS, rng)].astype(np.float64)
    separated, pairs = look_at_separation(positives, negatives)
    figures: Figures = {"pairs": pairs}
    blocks = scores.block, scores.transposed().block
    alike = _constant_sides(matrix)
    findings = alike or separated
    for question in _questions(ids, blocks, relevance):
        more, figures[question.name] = survey(question, sample, rng, hubs=not alike)
        findings += more
    return conclude(findings, figures)


def _constant_sides(matrix: NDArray[np.float32 | np.float64]) -> list[Finding]:
    """Find sides whose items all have the same scores, as those of one vector."""
    texts, videos = matrix.shape
    reach = FLOAT32_TOLERANCE * float(np.abs(matrix[0]).max())
    findings: list[Finding] = []
    if texts > 1 and (np.ptp(matrix, axis=0) <= reach).all():
        findings.append(constant_finding("texts", texts, videos, shared="scores"))
    if videos > 1 and (np.ptp(matrix, axis=1) <= reach).all():
        findings.append(constant_finding("videos", videos, videos, shared="scores"))
    return findings


def _look_at_side(
    side: Side, videos: int, rng: np.random.Generator
) -> tuple[list[Finding], Figures]:
    findings, figures = look_at_numbers(side)
    more, copies = look_at_copies(side, videos=videos)
    findings += more
    figures |= copies
    # One vector is a cone of rank 0 too; saying so would bury the cause.
    if not figures["constant"]:
        more, geometry = look_at_geometry(side, rng)
        findings += more
        figures |= geometry
    return findings, figures


def _look_at_both(
    sides: tuple[Side, Side],
    relevance: Relevance,
    sample: int,
    rng: np.random.Generator,
    *,
    constant: bool,
) -> tuple[list[Finding], Figures]:
    texts, videos = sides
    usable = texts.usable[relevance.texts] & videos.usable[relevance.videos]
    known = Relevance(relevance.texts[usable], relevance.videos[usable])
    if not usable.any():
        return [], {}
    gap, pairs = look_at_gap(texts, videos)
    shape = len(texts.ids), len(videos.ids)
    positive, negative = known.sample(PAIRS, rng), relevance.negatives(shape, PAIRS, rng)
    positives = pair_cosines(texts, positive[0], videos, positive[1])
    negatives = pair_cosines(texts, negative[0], videos, negative[1])
    separated, separation = look_at_separation(positives, negatives)
    # A constant side looks like a space that was never aligned; but the cause is known.
    findings = [] if constant else gap + separated
    figures: Figures = {"pairs": pairs | separation | {"alignment": alignment(positives)}}
    blocks = _product(texts, videos), _product(videos, texts)
    for question in _questions((texts.ids, videos.ids), blocks, known):
        more, figures[question.name] = survey(question, sample, rng, hubs=not constant)
        findings += more
    return findings, figures


def _questions(
    ids: tuple[Sequence[str], Sequence[str]], blocks: tuple[Block, Block], relevance: Relevance
) -> list[Question]:
    turned = Relevance(relevance.videos, relevance.texts)
    return [
        Question("t2v", "captions", "videos", ids[1], blocks[0], _grouped(relevance)),
        Question("v2t", "videos", "captions", ids[0], blocks[1], _grouped(turned)),
    ]


def _product(queries: Side, gallery: Side) -> Block:
    def block(rows: Counts) -> NDArray[np.float32]:
        return queries.unit[rows] @ gallery.unit.T

    return block


def _relevance(qrels: Qrels, texts: Sequence[str], videos: Sequence[str]) -> Relevance:
    rows = {name: row for row, name in enumerate(texts)}
    columns = {name: column for column, name in enumerate(videos)}
    pairs: list[tuple[int, int]] = []
    for text, ids in qrels.relevant.items():
        for video in ids:
            if text not in rows or video not in columns:
                raise ValueError(f"{video!r} is relevant to {text!r}, but one of them is missing")
            pairs.append((rows[text], columns[video]))
    if not pairs:
        raise ValueError("nothing is relevant to anything: there is no query to ask")
    table = np.array(sorted(pairs), np.int64)
    return Relevance(table[:, 0], table[:, 1])


def _grouped(relevance: Relevance) -> dict[int, list[int]]:
    groups: dict[int, list[int]] = {}
    for row, column in zip(relevance.texts.tolist(), relevance.videos.tolist(), strict=True):
        groups.setdefault(row, []).append(column)
    return groups


def _other_dimensions(sides: tuple[Side, Side]) -> Finding:
    texts, videos = (side.unit.shape[1] for side in sides)
    return Finding(
        "error",
        "dimensions",
        "pairs",
        f"Captions have {texts} numbers and videos {videos}, so that no cosine exists: two models "
        f"that were never aligned; fit a head on training pairs.",
    )
