"""Draw the pictures of a report, each with a sentence that says how to read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from moviola.evaluate.report.charts import (
    Axis,
    Point,
    Series,
    bar_chart,
    interval_bars,
    line_chart,
    powers,
    round_ticks,
    ticks,
)
from moviola.evaluate.report.facts import LIST, Curve, Facts, Group, Histogram, Hubs
from moviola.evaluate.report.markup import Html, element
from moviola.evaluate.results import RetrievalResult

_NAMES = {"t2v": "text-to-video", "v2t": "video-to-text"}
_PERCENT = Axis(0, 100, [0, 20, 40, 60, 80, 100], "% of queries")
#: The last K of the picture of the first ranks.
_NEAR = 50


def figures(result: RetrievalResult, facts: Facts) -> list[Html]:
    """Make one `<figure>` for each picture that there are facts for."""
    made = [_recall(facts.curves), _ranks(facts.curves, result)]
    if facts.histogram is not None:
        made.append(_scores(facts.histogram))
    if facts.hubs is not None:
        made.append(_hubs(facts.hubs, result.t2v.n_queries))
    if facts.groups:
        made.append(_groups(facts.groups))
    return made


def _figure(title: str, picture: Html, caption: str) -> Html:
    return element("figure", element("h3", title), picture, element("figcaption", caption))


def _series(curves: Mapping[str, Curve], last: int) -> list[Series]:
    made: list[Series] = []
    for key, curve in curves.items():
        some = np.flatnonzero(curve.cutoffs <= last)
        points: list[Point] = [(float(curve.cutoffs[i]), float(curve.values[i])) for i in some]
        band = [(float(curve.low[i]), float(curve.high[i])) for i in some]
        made.append(Series(_NAMES[key], points, key, band))
    return made


def _recall(curves: Mapping[str, Curve]) -> Html:
    last = min(_NEAR, max(int(curve.cutoffs[-1]) for curve in curves.values()))
    x = Axis(1, max(last, 2), [1, *round_ticks(2, max(last, 3))], "K")
    picture = line_chart(_series(curves, last), x, _PERCENT, label="Recall at K")
    return _figure(
        "Recall at K",
        picture,
        "How many queries find a relevant item among the first K; the bands are 95 % intervals.",
    )


def _ranks(curves: Mapping[str, Curve], result: RetrievalResult) -> Html:
    last = max(int(curve.cutoffs[-1]) for curve in curves.values())
    gallery = max(result.n_gallery, 1)
    by_chance = [(float(k), 100 * k / gallery) for k in curves["t2v"].cutoffs.tolist()]
    series = [*_series(curves, last), Series("chance", by_chance, "chance")]
    x = Axis(1, max(last, 2), powers(last), "rank of the first relevant item", log=True)
    picture = line_chart(series, x, _PERCENT, label="Cumulative distribution of ranks")
    return _figure(
        "Distribution of ranks",
        picture,
        "The share of queries whose first relevant item stands at this rank or better. Far right "
        "lie the queries that are lost altogether. Chance: one relevant item in the gallery.",
    )


def _scores(found: Histogram) -> Html:
    low, high = float(found.edges[0]), float(found.edges[-1])
    top = float(max(found.positives.max(), found.negatives.max()))
    heights = ticks(top)
    x = Axis(low, high, round_ticks(low, high), "score")
    y = Axis(0, heights[-1], heights, "% of pairs")
    picture = bar_chart(
        [
            ("other pairs", "chance", found.negatives.tolist()),
            ("relevant pairs", "t2v", found.positives.tolist()),
        ],
        found.edges.tolist(),
        x,
        y,
        label="Histogram of scores of relevant and of other pairs",
    )
    return _figure(
        "Scores of relevant and other pairs",
        picture,
        f"Relevant pairs score {found.mean_positive:.3f} on average, the others "
        f"{found.mean_negative:.3f}. The less the two overlap, the easier it is to set one "
        f"threshold for all queries.",
    )


def _hubs(found: Hubs, queries: int) -> Html:
    most = int(found.counts.max())
    step = max(1, -(-(most + 1) // 60))
    edges = np.arange(0, most + step + 1, step)
    counts = np.histogram(found.counts, edges)[0]
    heights = np.where(counts > 0, np.log10(counts + 1.0), 0.0)
    top = max(1, int(counts.max()))
    # log(1 + n), so that a single hub is seen beside a thousand ordinary videos.
    numbers = [0.0, *(n for p in powers(top) for n in (p, 2 * p, 5 * p) if n <= top)]
    if len(numbers) > 7:
        numbers = [0.0, *powers(top)]
    marks = [float(np.log10(n + 1.0)) for n in numbers]
    values = dict(zip(marks, numbers, strict=True))
    y = Axis(
        0,
        max(float(heights.max()), marks[-1]),
        marks,
        "videos (logarithmic)",
        show=lambda mark: f"{values[mark]:g}",
    )
    x = Axis(0, float(edges[-1]), ticks(most)[:-1] or [0.0], f"lists of {LIST} it stands in")
    picture = bar_chart(
        [("videos", "t2v", heights.tolist())], edges.tolist(), x, y, label="Histogram of hubness"
    )
    return _figure(
        "Hubness",
        picture,
        f"In how many of the {queries:,} lists of {LIST} a video stands. {100 * found.never:.1f} % "
        f"stand in none; {found.largest} stands in {most:,}; skewness {found.skew:.2f} (0 where "
        f"all are alike, above about 1 a few hubs crowd the others out).",
    )


def _groups(groups: Sequence[Group]) -> Html:
    high = max(10.0, *(group.interval[1] for group in groups))
    rows = [
        # The figure's title says that these are categories.
        (f"{g.name.removeprefix('category: ')} ({g.count:,})", g.value, g.interval)
        for g in groups
    ]
    picture = interval_bars(rows, high=high, unit=" %", label="R@1 of each category")
    return _figure(
        "R@1 by category",
        picture,
        "Text-to-video R@1 of the texts of each category, how many they are, and 95 % intervals.",
    )
