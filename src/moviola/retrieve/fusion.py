"""Fuse what is seen, said, written and named into moments of videos."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

#: Added to a rank before its reciprocal is taken (Cormack, Clarke and Buettcher, SIGIR 2009).
RANK_CONSTANT = 60
# Of two stretches of one video, the worse one goes where they share this much of the shorter.
_SAME_SHARE = 0.5
# Evidence that is this much weaker than the best does not narrow a moment.
_NARROWS = 0.2
# Shorter than this, stretches that meet are no place to look at.
_SHORTEST = 0.2


@dataclass(frozen=True, slots=True)
class Evidence:
    """A stretch of a video in which one channel found one part of a query.

    Attributes:
        video: id of the video.
        start: seconds.
        end: seconds.
        source: the channel and the part; evidence of one source does not add up.
        probability: of being what was meant, None where that was not measured.
        rank: among the evidence of its source, from 1.
        is_exact: whether it is, word by word, what was asked.
        key: what the caller knows it by.
    """

    video: str
    start: float
    end: float
    source: tuple[str, int]
    probability: float | None
    rank: int
    is_exact: bool = False
    key: int = -1

    def meets(self, start: float, end: float) -> bool:
        """Tell whether it shares time with a stretch."""
        return self.start < end and start < self.end


@dataclass(frozen=True, slots=True)
class Fused:
    """A stretch of a video with all evidence for it.

    Attributes:
        video: id of the video.
        start: seconds.
        end: seconds.
        score: what it is ordered by.
        probability: that not all of its evidence is wrong, None where that was not measured.
        is_exact: whether something in it is, word by word, what was asked.
        evidence: the strongest first, one of each source.
    """

    video: str
    start: float
    end: float
    score: float
    probability: float | None
    is_exact: bool
    evidence: tuple[Evidence, ...] = field(repr=False)


def fuse(evidence: Sequence[Evidence]) -> list[Fused]:
    """Merge evidence in time, and order the moments, best first.

    Evidence that meets in time counts for the same moment, the best of each source once. Where
    every source measures probabilities, a moment's is that not all of them are wrong; otherwise
    ranks decide, 1 / (60 + rank) from each source, weighed by probabilities where some are known.
    What is exactly what was asked comes first.
    """
    measured = all(each.probability is not None for each in evidence)
    by_video: dict[str, list[Evidence]] = {}
    for each in evidence:
        by_video.setdefault(each.video, []).append(each)
    found: list[Fused] = []
    for own in by_video.values():
        found += _kept(_around(anchor, own, measured=measured) for anchor in own)
    found.sort(key=lambda each: (-each.is_exact, -each.score, each.video, each.start))
    return found


def _around(anchor: Evidence, own: Sequence[Evidence], *, measured: bool) -> Fused:
    """Gather the evidence of a video that meets `anchor`, the strongest first.

    Strong evidence narrows the stretch, and what does not meet that any more is left out.
    """
    shown = [anchor]
    start, end = anchor.start, anchor.end
    least = _NARROWS * max((each.probability or 0.0 for each in own), default=0.0)
    sources = {anchor.source}
    for each in sorted(own, key=_strength, reverse=True):
        if each.source in sources or not each.meets(start, end):
            continue
        shown.append(each)
        sources.add(each.source)
        inner = max(start, each.start), min(end, each.end)
        is_strong = each.probability is None or each.probability >= least
        if is_strong and inner[1] - inner[0] >= _SHORTEST:
            start, end = inner
    probability = not_all_wrong(each.probability or 0.0 for each in shown) if measured else None
    score = probability
    if score is None:
        score = sum((each.probability or 1.0) / (RANK_CONSTANT + each.rank) for each in shown)
    shown.sort(key=_strength, reverse=True)
    exact = any(each.is_exact for each in shown)
    return Fused(anchor.video, start, end, score, probability, exact, tuple(shown))


def not_all_wrong(probabilities: Iterable[float]) -> float:
    """Compute the probability that not all of several independent findings are wrong."""
    return 1.0 - math.prod(1.0 - each for each in probabilities)


def _strength(evidence: Evidence) -> tuple[bool, float, int]:
    """Order evidence: what is exact, then the more probable, then the better rank."""
    return evidence.is_exact, evidence.probability or 0.0, -evidence.rank


def _kept(moments: Iterable[Fused]) -> list[Fused]:
    """Keep the best of those moments of a video that are nearly the same."""
    kept: list[Fused] = []
    order = sorted(moments, key=lambda each: (-each.is_exact, -each.score, each.start, each.end))
    for each in order:
        if not any(_is_same(each, other) for other in kept):
            kept.append(each)
    return kept


def _is_same(one: Fused, other: Fused) -> bool:
    """Tell whether two stretches share most of the shorter one."""
    shared = min(one.end, other.end) - max(one.start, other.start)
    return shared > _SAME_SHARE * min(one.end - one.start, other.end - other.start)


def best_links(steps: Sequence[Sequence[Fused]], within: float) -> list[tuple[Fused, ...]]:
    """Find in each video the best chain of moments, one of each step, best chain first.

    Each begins after the one before it begins, and at most `within` seconds later.
    """
    found: list[tuple[Fused, ...]] = []
    videos = [{each.video for each in step} for step in steps]
    for video in sorted(videos[0].intersection(*videos[1:])):
        own = [[each for each in step if each.video == video] for step in steps]
        chains: list[tuple[Fused, ...]] = [(each,) for each in own[0]]
        for step in own[1:]:
            chains = [
                (*max(before, key=_total), each)
                for each in step
                if (before := [chain for chain in chains if _follows(chain[-1], each, within)])
            ]
        if chains:
            found.append(max(chains, key=_total))
    return sorted(found, key=_total, reverse=True)


def _follows(one: Fused, other: Fused, within: float) -> bool:
    """Tell whether one moment begins after another, and soon enough."""
    return 0 < other.start - one.start <= within


def _total(chain: Sequence[Fused]) -> float:
    """Add up the scores of a chain."""
    return sum(each.score for each in chain)
