"""Find moments by texts and pictures together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from moviola.core.moments import Moment, Reason, Stretch
from moviola.core.passages import Passage
from moviola.library import Snapshot, VideoFilter
from moviola.retrieve.bands import band_of
from moviola.retrieve.calibration.judges import Judge
from moviola.retrieve.fusion import Evidence, Fused, best_links, fuse
from moviola.retrieve.parsing import SEEN
from moviola.retrieve.query import Query
from moviola.retrieve.ranking import rank_moments
from moviola.retrieve.texts import Texts, is_met
from moviola.retrieve.words.highlighting import reason_of
from moviola.retrieve.words.matching import Matches, PassageHit

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Moments of the pictures that are fused with texts: of so many videos, so many of each.
_SEEN_VIDEOS, _SEEN_OF_ONE = 300, 3
# Texts of one video beside which the pictures are looked at.
_BESIDE_OF_ONE = 4
# Pictures stand beside a text that fills so much of them, or is filled by them.
_MOSTLY = 0.75


@dataclass(frozen=True, slots=True)
class Asking:
    """Hold what a query asks of a library, scored.

    Attributes:
        query: what is asked.
        snapshot: the clips of the library.
        scores: `(k, n)` of every clip for each step, None where pictures are not asked.
        judge: of plain sentences; None where nothing is known.
        filters: which videos to search, in place of the query's own.
    """

    query: Query
    snapshot: Snapshot
    scores: NDArray[np.float32] | None
    judge: Judge | None
    filters: VideoFilter | None


def find_fused(
    asking: Asking, texts: Texts, matches: Sequence[Matches], *, top: int, per_video: int | None
) -> list[Moment]:
    """Find the moments that texts and pictures point to, best first.

    Args:
        asking: what is asked, and what the clips score.
        texts: the passages of the library.
        matches: of each step.
        top: at most this many moments.
        per_video: at most this many of one video; None for no limit.
    """
    steps = [_fused_step(asking, texts, match, step) for step, match in enumerate(matches)]
    present = _Presenter(asking.snapshot, asking.scores, texts)
    if len(steps) > 1:
        chains = best_links(steps, asking.query.within)[:top]
        return [present.chain(chain) for chain in chains]
    counts = Counter(each.video for each in steps[0])
    turns: Counter[str] = Counter()
    kept: list[Fused] = []
    for each in steps[0]:
        turns[each.video] += 1
        if per_video is None or turns[each.video] <= per_video:
            kept.append(each)
    moments = present.moments([(each, 0) for each in kept[:top]])
    if per_video is None:
        return moments
    return [replace(each, others=max(0, counts[each.video] - per_video)) for each in moments]


def _fused_step(asking: Asking, texts: Texts, match: Matches, step: int) -> list[Fused]:
    """Fuse the evidence for one step, best first."""
    required = [texts.spans_by_video(mask) for mask in match.required]
    barred = texts.spans_by_video(match.barred)
    told = texts.evidence(asking.query, step, match)
    seen: list[Evidence] = []
    if asking.scores is not None:
        judge = asking.judge if asking.query.is_plain else None
        allowed = _only_with(required, asking.filters)
        scores = asking.scores[step]
        moments = [
            *_beside(asking.snapshot, scores, told),
            *rank_moments(
                asking.snapshot,
                scores,
                top=_SEEN_VIDEOS * _SEEN_OF_ONE,
                per_video=_SEEN_OF_ONE,
                filters=allowed,
                sharpness=asking.snapshot.sharpness if judge is not None else 0.0,
            ),
        ]
        seen = _seen(moments, judge, asking.snapshot, scores)
    found = fuse([*told, *seen])
    return [
        each
        for each in found
        if all(is_met(spans, each.video, each.start, each.end) for spans in required)
        and not is_met(barred, each.video, each.start, each.end)
    ]


def _only_with(
    required: Sequence[Mapping[str, NDArray[np.float64]]], filters: VideoFilter | None
) -> VideoFilter | None:
    """Add to filters that something satisfies each required term in a video."""
    if not required:
        return filters
    videos = frozenset(video for video in required[0] if all(video in each for each in required))
    given = filters or VideoFilter()
    return replace(given, videos=videos if given.videos is None else videos & given.videos)


def _beside(
    snapshot: Snapshot, scores: NDArray[np.float32], told: Sequence[Evidence]
) -> list[Moment]:
    """Look at the pictures beside the best texts of each video, which need not stand out in it."""
    counts: Counter[str] = Counter()
    found: list[Moment] = []
    for each in sorted(told, key=lambda each: -(each.probability or 0.0)):
        place = snapshot.place_of(each.video)
        if place is None or counts[each.video] == _BESIDE_OF_ONE:
            continue
        counts[each.video] += 1
        own = snapshot.video(place)
        spans = snapshot.spans[own]
        shared = np.minimum(spans[:, 1], each.end) - np.maximum(spans[:, 0], each.start)
        shorter = np.minimum(spans[:, 1] - spans[:, 0], each.end - each.start)
        meets = np.flatnonzero(shared >= _MOSTLY * shorter)
        if meets.size:
            best = float(scores[own][meets].max())
            path, middle = snapshot.records[place].path, (each.start + each.end) / 2
            found.append(Moment(each.video, path, each.start, each.end, middle, best))
    return found


def _seen(
    moments: Sequence[Moment],
    judge: Judge | None,
    snapshot: Snapshot,
    scores: NDArray[np.float32],
) -> list[Evidence]:
    """Present moments of the pictures as evidence, ranked by their scores."""
    chances = _chances(moments, judge, snapshot, scores)
    ranks = np.empty(len(moments), np.int64)
    ranks[np.argsort([-moment.score for moment in moments], kind="stable")] = np.arange(
        len(moments)
    )
    return [
        Evidence(moment.video, moment.start, moment.end, (SEEN, 0), chance, int(rank) + 1)
        for moment, chance, rank in zip(moments, chances, ranks, strict=True)
    ]


def _chances(
    moments: Sequence[Moment],
    judge: Judge | None,
    snapshot: Snapshot,
    scores: NDArray[np.float32],
) -> list[float | None]:
    """Judge moments: the first of every video together, then the second of every one, and on."""
    chances: list[float | None] = [None] * len(moments)
    if judge is None:
        return chances
    rounds: dict[int, list[int]] = {}
    seen: dict[str, int] = {}
    for at, moment in enumerate(moments):
        seen[moment.video] = turn = seen.get(moment.video, -1) + 1
        rounds.setdefault(turn, []).append(at)
    for turn in rounds.values():
        places = [snapshot.place_of(moments[at].video) for at in turn]
        found = judge(
            snapshot,
            scores,
            [place for place in places if place is not None],
            [moments[at].score for at in turn],
        )
        for at, chance in zip(turn, found.probabilities, strict=True):
            chances[at] = chance
    return chances


class _Presenter:
    """Present what was fused as moments."""

    def __init__(
        self,
        snapshot: Snapshot,
        scores: NDArray[np.float32] | None,
        texts: Texts,
    ) -> None:
        self._snapshot, self._scores = snapshot, scores  # (k, n)
        self._texts = texts

    def moments(self, found: Sequence[tuple[Fused, int]]) -> list[Moment]:
        """Make moments, each of what was fused for a step."""
        hits = (each.hit for fused, _ in found for each in fused.evidence)
        numbers = {hit.number for hit in hits if isinstance(hit, PassageHit)}
        passages = self._texts.passages.passages(sorted(numbers))
        return [self._moment(fused, step, passages) for fused, step in found]

    def chain(self, links: Sequence[Fused]) -> Moment:
        """Make one moment of one thing after another."""
        parts = self.moments([(link, step) for step, link in enumerate(links)])
        return replace(
            parts[0],
            end=parts[-1].end,
            score=sum(part.score for part in parts) / len(parts),
            band=None,
            probability=None,
            steps=tuple(Stretch(part.start, part.end, part.peak, part.score) for part in parts),
            why=tuple(reason for part in parts for reason in part.why),
        )

    def _moment(self, fused: Fused, step: int, passages: Mapping[int, Passage]) -> Moment:
        """Make a moment."""
        record = self._texts.records[fused.video]
        clip, peak = self._best_clip(fused, step)
        return Moment(
            fused.video,
            record.path,
            fused.start,
            fused.end,
            peak,
            fused.score,
            band_of(fused.probability),
            fused.probability,
            missing=record.is_missing,
            clip=clip,
            why=_reasons(fused, passages),
        )

    def _best_clip(self, fused: Fused, step: int) -> tuple[str, float]:
        """Find the best clip that meets a moment, and the best second in it to look at."""
        middle = (fused.start + fused.end) / 2
        place = self._snapshot.place_of(fused.video)
        if place is None:
            return "", middle
        own = self._snapshot.video(place)
        spans = self._snapshot.spans[own]
        meets = np.flatnonzero((spans[:, 0] < fused.end) & (spans[:, 1] > fused.start))
        if self._scores is None or not meets.size:
            at = int(np.abs(spans.mean(axis=1) - middle).argmin())
        else:
            at = int(meets[self._scores[step, own][meets].argmax()])
            if any(each.source[0] == SEEN for each in fused.evidence):
                middle = float(np.clip(spans[at].mean(), fused.start, fused.end))
        return bytes(self._snapshot.clips[own.start + at]).decode(), middle


def _reasons(fused: Fused, passages: Mapping[int, Passage]) -> tuple[Reason, ...]:
    """Say what a moment was found by, each passage once."""
    asked = [each.hit.asked for each in fused.evidence if isinstance(each.hit, PassageHit)]
    found: dict[object, Reason] = {}
    for each in fused.evidence:
        hit = each.hit
        if hit is None:
            found[SEEN] = Reason(SEEN, "", each.start, each.end)
        elif isinstance(hit, PassageHit):
            found.setdefault(hit.number, reason_of(passages[hit.number], asked))
        else:
            found[hit] = Reason(hit.channel, hit.window.text, each.start, each.end)
    return tuple(found.values())
