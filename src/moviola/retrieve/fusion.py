"""Fuse what is seen, said, written and named into moments of videos."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from moviola.retrieve.meaning.searching import WindowHit
from moviola.retrieve.parsing import SEEN
from moviola.retrieve.words.matching import PassageHit

#: Added to a rank before its reciprocal is taken (Cormack, Clarke and Buettcher, SIGIR 2009).
RANK_CONSTANT = 60
# Of two stretches of one video, the worse one goes where they share this much of the shorter.
_SAME_SHARE = 0.5
# Evidence that is this much weaker than the best does not narrow a moment.
_NARROWS = 0.2
# Pictures that speak against a moment, or do not show it, weigh so much beside its texts.
_LEAST_SEEN = 1e-4
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
        explains: the share of the query's sentence that its text explains, in [0, 1].
        hit: what of a text was found; None for pictures.
    """

    video: str
    start: float
    end: float
    source: tuple[str, int]
    probability: float | None
    rank: int
    is_exact: bool = False
    explains: float = 0.0
    hit: PassageHit | WindowHit | None = None

    @property
    def is_text(self) -> bool:
        """Tell whether a text was found, rather than pictures."""
        return self.source[0] != SEEN

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
        probability: of being what was meant, None where that was not measured.
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
    every source measures probabilities, those are put together (see `_with_probabilities`);
    otherwise ranks decide, 1 / (60 + rank) from each source, weighed by probabilities where some
    are known. What is exactly what was asked comes first.
    """
    by_video: dict[str, list[Evidence]] = {}
    for each in evidence:
        by_video.setdefault(each.video, []).append(each)
    found = [_around(anchor, own) for own in by_video.values() for anchor in own]
    if all(each.probability is not None for each in evidence):
        found = _with_probabilities(found)
    by_video_found: dict[str, list[Fused]] = {}
    for each in found:
        by_video_found.setdefault(each.video, []).append(each)
    kept = [each for own in by_video_found.values() for each in _kept(own)]
    kept.sort(key=lambda each: (-each.is_exact, -each.score, each.video, each.start))
    return kept


def _with_probabilities(moments: Sequence[Fused]) -> list[Fused]:
    """Put the probabilities of the evidence of each moment together.

    Texts of several channels are not all wrong with 1 - (1 - p)(1 - q)... The best of that over all
    moments is the probability T that a text is meant at all. If one is, moments go by their
    texts, and, as far as those leave the sentence unexplained, by their pictures; if none is, by
    their pictures alone. So the best text with good pictures is not all wrong either, and pictures
    without the text that is surely meant are worth little.
    """
    texts = [
        not_all_wrong(each.probability or 0.0 for each in moment.evidence if each.is_text)
        for moment in moments
    ]
    seen = [
        max((each.probability or 0.0 for each in moment.evidence if not each.is_text), default=0.0)
        for moment in moments
    ]
    left = [1 - max(each.explains for each in moment.evidence) for moment in moments]
    worth = [
        text * max(picture, _LEAST_SEEN) ** unexplained
        for text, picture, unexplained in zip(texts, seen, left, strict=True)
    ]
    meant, best = max(texts, default=0.0), max(worth, default=0.0)
    chances = [
        (meant * mine / best if best else 0.0) + (1 - meant) * picture
        for mine, picture in zip(worth, seen, strict=True)
    ]
    return [
        replace(moment, score=chance, probability=chance)
        for moment, chance in zip(moments, chances, strict=True)
    ]


def _around(anchor: Evidence, own: Sequence[Evidence]) -> Fused:
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
    score = sum((each.probability or 1.0) / (RANK_CONSTANT + each.rank) for each in shown)
    shown.sort(key=_strength, reverse=True)
    exact = any(each.is_exact for each in shown)
    return Fused(anchor.video, start, end, score, None, exact, tuple(shown))


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
