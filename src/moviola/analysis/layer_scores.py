"""Hold the scores of a layer sweep, and summarise them in sentences."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from moviola.evaluate.chance import chance_level


@dataclass(frozen=True, slots=True)
class LayerScore:
    """Hold the scores of one layer of the texts with one of the videos.

    Attributes:
        text: name of the texts' layer.
        clip: name of the videos' layer.
        text_layer: its number, NaN where its store tells none.
        clip_layer: likewise.
        overlap: mutual k-nearest-neighbour overlap of videos and the means of their captions; NaN
            where all items of a side have the same vector.
        text_rank: effective rank of the means of captions.
        clip_rank: effective rank of the videos.
        text_cosine: mean cosine of two captions' means.
        clip_cosine: mean cosine of two videos.
        raw_mrr: text-to-video on the validation videos by the cosine; NaN where the dimensions of
            the two sides differ.
        aligned_mrr: the same after a closed-form alignment of the other videos; NaN where there
            were too few of them, or other layers promised more.
        raw_low: lower end of the 95 % bootstrap interval of `raw_mrr`, over captions.
        raw_high: its upper end.
        aligned_low: lower end of that of `aligned_mrr`.
        aligned_high: its upper end.
    """

    text: str
    clip: str
    text_layer: float
    clip_layer: float
    overlap: float
    text_rank: float
    clip_rank: float
    text_cosine: float
    clip_cosine: float
    raw_mrr: float
    aligned_mrr: float
    raw_low: float = np.nan
    raw_high: float = np.nan
    aligned_low: float = np.nan
    aligned_high: float = np.nan

    def interval(self, figure: str) -> tuple[float, float] | None:
        """Return the 95 % interval of `raw_mrr` or `aligned_mrr`; None of what has none."""
        ends = {
            "raw_mrr": (self.raw_low, self.raw_high),
            "aligned_mrr": (self.aligned_low, self.aligned_high),
        }
        low, high = ends.get(figure, (np.nan, np.nan))
        return None if np.isnan(low) else (low, high)


@dataclass(frozen=True, slots=True)
class LayerSweep:
    """Hold the scores of all pairs of layers, and what their numbers rest on.

    Attributes:
        scores: one for every pair, in the order of the videos' layers.
        k: neighbours that the overlap looks at.
        items: videos among which they are looked for.
        validation: videos that are ranked for the captions of each.
        captions: captions of the validation videos.
    """

    scores: tuple[LayerScore, ...]
    k: int
    items: int
    validation: int
    captions: int

    @property
    def chance_overlap(self) -> float:
        """Return the overlap of two unrelated spaces."""
        return self.k / (self.items - 1)

    @property
    def chance_mrr(self) -> float:
        """Return the MRR of a random order of the validation videos."""
        return chance_level(self.validation)

    @property
    def notes(self) -> list[str]:
        """Return sentences that interpret the numbers."""
        return list(_notes(self))

    def best(self, figure: str) -> LayerScore | None:
        """Return the pair with the largest score of that name; None if none has it."""
        known = [score for score in self.scores if not np.isnan(getattr(score, figure))]
        return max(known, key=lambda score: getattr(score, figure), default=None)

    def to_json(self) -> dict[str, Any]:
        """Convert to JSON values; unknown numbers are null."""
        rows = [
            {k: None if isinstance(v, float) and np.isnan(v) else v for k, v in asdict(s).items()}
            for s in self.scores
        ]
        return {
            "scores": rows,
            "k": self.k,
            "items": self.items,
            "validation": self.validation,
            "captions": self.captions,
            "chance_overlap": self.chance_overlap,
            "chance_mrr": self.chance_mrr,
            "notes": self.notes,
        }

    def to_csv(self) -> str:
        """Write one line a pair of layers."""
        sink = io.StringIO()
        writer = csv.writer(sink, lineterminator="\n")
        names = [each.name for each in fields(LayerScore)]
        writer.writerow(names)
        for score in self.scores:
            values = (getattr(score, name) for name in names)
            writer.writerow([_csv_value(value) for value in values])
        return sink.getvalue()


def _notes(sweep: LayerSweep) -> Iterator[str]:
    yield (
        f"Neighbours: mutual overlap of the {sweep.k} nearest among N = {sweep.items:,} videos; "
        f"two unrelated spaces have {sweep.chance_overlap:.4f}. It is told which captions belong "
        f"to which video, and nothing else."
    )
    yield (
        f"MRR: text-to-video, {sweep.captions:,} captions among {sweep.validation:,} held-out "
        f"videos; chance is {sweep.chance_mrr:.4f}."
    )
    for said, figure, name in (
        ("without labels", "overlap", "overlap"),
        ("by raw cosine", "raw_mrr", "MRR"),
        ("once aligned", "aligned_mrr", "MRR"),
    ):
        if (found := sweep.best(figure)) is not None:
            yield f"Best {said}: {_named(found)}, {name} {getattr(found, figure):.4f}" + _ends(
                sweep, found, figure
            )
    if constant := [score for score in sweep.scores if np.isnan(score.overlap)]:
        names = ", ".join(map(_named, constant[:4]))
        more = f" and {len(constant) - 4} more" if len(constant) > 4 else ""
        yield (
            f"All items of a side have the same vector, so that there are no neighbours and the "
            f"MRR is chance: {names}{more}."
        )
    aligned = [score for score in sweep.scores if not np.isnan(score.aligned_mrr)]
    if not aligned:
        yield "Nothing was aligned: too few videos are left to fit on."
    elif len(aligned := [score for score in aligned if not np.isnan(score.overlap)]) > 3:
        agreement = _rank_correlation(
            [score.overlap for score in aligned], [score.aligned_mrr for score in aligned]
        )
        yield (
            f"Over {len(aligned)} pairs of layers the order by overlap and the order by aligned "
            f"MRR have a rank correlation of {agreement:.2f}."
        )


def _ends(sweep: LayerSweep, best: LayerScore, figure: str) -> str:
    """Say how sure a best score is: its interval, and which others reach into it."""
    if (ends := best.interval(figure)) is None:
        return "."
    said = f" [{ends[0]:.4f}, {ends[1]:.4f}]"
    if ends[0] <= sweep.chance_mrr:
        return f"{said}, which is not told from chance."
    near = sum(each is not best and getattr(each, figure) >= ends[0] for each in sweep.scores)
    return f"{said}; {near} other pairs of layers lie in this interval." if near else f"{said}."


def _rank_correlation(one: Sequence[float], other: Sequence[float]) -> float:
    """Compute Spearman's correlation, ties in the order in which they come."""
    ranks = [np.argsort(np.argsort(np.array(values), kind="stable")) for values in (one, other)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _named(score: LayerScore) -> str:
    if score.text == score.clip:
        return score.clip
    return f"videos {score.clip} with texts {score.text}"


def _csv_value(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return "" if np.isnan(value) else f"{value:.6g}"
