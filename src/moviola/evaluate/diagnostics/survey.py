"""Survey what a sample of queries retrieves: beside chance, and with its hubs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moviola.core.ranks import Ranks, default_tolerance, join_ranks, rank_block
from moviola.evaluate.chance import chance_level
from moviola.evaluate.diagnostics.findings import Figures, Finding, shown
from moviola.evaluate.measures import MRR, hit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]
    #: Rows of the queries to their scores with the whole gallery, `(q, G)`.
    Block = Callable[[Counts], NDArray[np.float32 | np.float64]]

#: Hubness is told from the first ten places.
_PLACES = 10
_STEP = 128


@dataclass(frozen=True, slots=True)
class Question:
    """Hold one direction of a diagnosis.

    Attributes:
        name: `"t2v"` or `"v2t"`.
        asked: what the queries are called, in the plural.
        found: what the gallery is called, in the plural.
        gallery: ids of the G gallery items.
        block: rows of the queries to their scores.
        relevant: row of a query to the gallery places that are relevant to it.
    """

    name: str
    asked: str
    found: str
    gallery: Sequence[str]
    block: Block
    relevant: dict[int, list[int]]


def survey(
    question: Question, size: int, rng: np.random.Generator, *, hubs: bool = True
) -> tuple[list[Finding], Figures]:
    """Ask at most `size` of the queries that have something relevant.

    Args:
        question: who asks whom.
        size: how many queries are asked at most.
        rng: chooses them.
        hubs: whether to look for hubs; ties of constant vectors make none.
    """
    rows = np.array(sorted(question.relevant), np.int64)
    if len(rows) > size:
        rows = np.sort(rng.choice(rows, size, replace=False))
    gallery = len(question.gallery)
    occurrences = np.zeros(gallery, np.int64)
    blocks: list[Ranks] = []
    for begin in range(0, len(rows), _STEP):
        some = rows[begin : begin + _STEP]
        block = question.block(some)
        relevant = [question.relevant[int(row)] for row in some]
        offsets = np.concatenate([[0], np.cumsum([len(each) for each in relevant])])
        columns = np.array([place for each in relevant for place in each], np.int64)
        tolerance = default_tolerance(block.dtype)
        blocks.append(rank_block(block, columns, offsets.astype(np.int64), tolerance))
        if hubs and gallery > 2 * _PLACES:
            first = np.argpartition(-block, _PLACES, axis=1)[:, :_PLACES]
            occurrences += np.bincount(first.ravel(), minlength=gallery)
    findings, figures = _beside_chance(question, join_ranks(blocks), gallery)
    if occurrences.any():
        more, hubness = _hubness(question, occurrences, len(rows))
        findings += more
        figures |= {"hubness": hubness}
    return findings, figures


def _beside_chance(question: Question, ranks: Ranks, gallery: int) -> tuple[list[Finding], Figures]:
    sizes = np.add.reduceat(ranks.relevant, ranks.offsets[:-1])
    count = len(sizes)
    measures = (hit(1), hit(10), MRR)
    found = {str(m): m.column(m.of(ranks, "expected")).aggregate for m in measures}
    chance = {str(m): chance_level(gallery, measure=m, relevant=sizes.tolist()) for m in measures}
    tied = int(np.count_nonzero(ranks.is_tied))
    figures: Figures = {
        "queries": count,
        "gallery": gallery,
        "tied": tied,
        "chance": chance,
        "measured": found,
    }
    return [_chance_finding(question, found, chance, gallery), *_ties(question, tied, count)], (
        figures
    )


def _chance_finding(
    question: Question, found: dict[str, float], chance: dict[str, float], gallery: int
) -> Finding:
    times = found["MRR"] / chance["MRR"]
    seen = (
        f"{question.name} MRR is {found['MRR']:.4f} and R@1 {found['R@1']:.1f}; chance for "
        f"{gallery:,} {question.found} is {shown(chance['MRR'])} and {chance['R@1']:.2g}"
    )
    if times < 1.5 and chance["MRR"] < 0.5:
        return Finding(
            "error",
            "chance",
            question.name,
            f"{seen}: the scores say nothing about what belongs together; see the other findings "
            f"for the cause, and check the pairing of captions and videos.",
        )
    return Finding("info", "chance", question.name, f"{seen}, which it passes {times:.0f} times.")


def _ties(question: Question, tied: int, count: int) -> list[Finding]:
    if tied <= 0.01 * count:
        return []
    return [
        Finding(
            "warning",
            "ties",
            question.name,
            f"In {tied:,} of {count:,} queries a relevant one of the {question.found} ties with "
            f"others: copies, constant vectors or coarse numbers; remove the copies or store more "
            f"digits, and read the expected values, since optimistic ones flatter.",
        )
    ]


def _hubness(
    question: Question, occurrences: Counts, queries: int
) -> tuple[list[Finding], Figures]:
    """Measure the skewness of how often an item is among the first ten, and who never is.

    Radovanovic, Nanopoulos and Ivanovic, "Hubs in Space: Popular Nearest Neighbors in
    High-Dimensional Data", 2010, section 3.
    """
    gallery = len(occurrences)
    spread = float(occurrences.std())
    centred = occurrences - occurrences.mean()
    skew = float((centred**3).mean() / spread**3) if spread else 0.0
    never = float((occurrences == 0).mean())
    # Without hubs an item is drawn by each query with one chance: binomial.
    chance = _PLACES / gallery
    by_chance = float((1.0 - chance) ** queries)
    usual = float((1.0 - 2.0 * chance) / np.sqrt(queries * chance * (1.0 - chance)))
    top = np.argsort(-occurrences)[:_PLACES]
    share = float(occurrences[top].sum() / occurrences.sum())
    figures: Figures = {
        "places": _PLACES,
        "skew": skew,
        "skew_by_chance": usual,
        "never_retrieved": never,
        "never_retrieved_by_chance": by_chance,
        "top_share": share,
        "top": {str(question.gallery[int(place)]): int(occurrences[place]) for place in top},
        "histogram": np.bincount(np.minimum(occurrences, 100)).tolist(),
    }
    if skew < usual + 1.7 and never < by_chance + 0.2:
        return [], figures
    hub, times = question.gallery[int(top[0])], int(occurrences[top[0]])
    return [
        Finding(
            "warning" if never >= by_chance + 0.2 else "info",
            "hubs",
            question.name,
            f"{never:.0%} of {gallery:,} {question.found} never come among the first "
            f"{_PLACES} ({by_chance:.0%} by chance), while {hub!r} does for {times:,} "
            f"of {queries:,} {question.asked} (skew {skew:.1f}): hubs, near to everything; "
            f"subtract the mean, or correct with a bank of training captions (QB-Norm, CSLS, NNN).",
        )
    ], figures
