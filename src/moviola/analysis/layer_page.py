"""Write a layer sweep as a page: four curves over the layers, and the table."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from moviola.analysis.layer_scores import LayerScore, LayerSweep
from moviola.evaluate.report.charts import Axis, Point, Series, line_chart, round_ticks, ticks
from moviola.evaluate.report.document import document
from moviola.evaluate.report.markup import Html, element

TITLE = "Layer sweep"
_HEAD = (
    "videos",
    "texts",
    "overlap",
    "rank of videos",
    "rank of texts",
    "cosine of videos",
    "cosine of texts",
    "raw MRR",
    "95 %",
    "aligned MRR",
    "95 %",
)
#: The same for a terminal of 100 columns; the cosines stand on the page and in the table.
_BRIEF = ("videos", "texts", "overlap", "v rank", "t rank", "raw MRR", "95 %", "aligned", "95 %")
_LEFT_OUT = ("cosine of videos", "cosine of texts")


def write_sweep(sweep: LayerSweep, out: Path) -> list[Path]:
    """Write `layer_sweep.csv` and `layer_sweep.html` into folder `out`; return the paths."""
    out.mkdir(parents=True, exist_ok=True)
    table, page = out / "layer_sweep.csv", out / "layer_sweep.html"
    table.write_text(sweep.to_csv(), encoding="utf-8")
    page.write_text(render_sweep(sweep), encoding="utf-8")
    return [table, page]


def render_sweep(sweep: LayerSweep) -> str:
    """Render one self-contained HTML page: sentences, pictures, table."""
    pictures = [
        _figure(
            sweep,
            "Text-to-video MRR on held-out videos",
            [("aligned", "t2v", "aligned_mrr"), ("raw cosine", "v2t", "raw_mrr")],
            sweep.chance_mrr,
            max,
        ),
        _figure(
            sweep,
            f"Mutual overlap of the {sweep.k} nearest neighbours, N = {sweep.items:,}",
            [("overlap", "t2v", "overlap")],
            sweep.chance_overlap,
            max,
        ),
        _figure(
            sweep,
            "Effective rank",
            [("videos", "t2v", "clip_rank"), ("texts", "v2t", "text_rank")],
            None,
            max,
        ),
        _figure(
            sweep,
            "Anisotropy: mean cosine of two items",
            [("videos", "t2v", "clip_cosine"), ("texts", "v2t", "text_cosine")],
            None,
            min,
        ),
    ]
    return document(
        TITLE,
        element("h1", TITLE),
        *(element("p", note) for note in sweep.notes),
        element("div", *pictures, class_="charts"),
        element("h2", "Every pair of layers"),
        _table(sweep),
    )


def table_rows(sweep: LayerSweep) -> list[tuple[str, ...]]:
    """Format the head and one row a pair of layers; unknown numbers are empty."""
    return [
        _HEAD,
        *(
            (
                score.clip,
                score.text,
                _rounded(score.overlap, 4),
                _rounded(score.clip_rank, 1),
                _rounded(score.text_rank, 1),
                _rounded(score.clip_cosine, 3),
                _rounded(score.text_cosine, 3),
                _rounded(score.raw_mrr, 4),
                _ends(score.interval("raw_mrr")),
                _rounded(score.aligned_mrr, 4),
                _ends(score.interval("aligned_mrr")),
            )
            for score in sweep.scores
        ),
    ]


def brief_rows(sweep: LayerSweep) -> list[tuple[str, ...]]:
    """Format `table_rows` without the cosines, with short names, for a terminal."""
    kept = [place for place, name in enumerate(_HEAD) if name not in _LEFT_OUT]
    return [_BRIEF, *(tuple(row[place] for place in kept) for row in table_rows(sweep)[1:])]


def _figure(
    sweep: LayerSweep,
    title: str,
    curves: list[tuple[str, str, str]],
    chance: float | None,
    pick: Callable[[Iterable[float]], float],
) -> Html:
    series = [Series(name, _points(sweep, each, pick), style) for name, style, each in curves]
    series = [each for each in series if each.points]
    places = [x for each in series for x, _ in each.points] or [0.0, 1.0]
    first, last = min(places), max(places)
    if chance is not None:
        series.append(Series("chance", [(first, chance), (last, chance)], "chance"))
    heights = [y for each in series for _, y in each.points] or [0.0, 1.0]
    low = min(0.0, *heights)
    y_ticks = ticks(max(heights)) if low == 0 else round_ticks(low, max(heights))
    y = Axis(min(low, y_ticks[0]), max(*heights, y_ticks[-1]), y_ticks, "", show=_short)
    x_ticks = [tick for tick in round_ticks(first, last) if tick == round(tick)] or [first]
    x = Axis(first, last, x_ticks, _axis_title(sweep), show=_short)
    return element("figure", element("h3", title), line_chart(series, x, y, label=title))


def _points(
    sweep: LayerSweep, figure: str, pick: Callable[[Iterable[float]], float]
) -> list[Point]:
    """Return one point a layer: the best pair of it where it is in several."""
    found: dict[float, list[float]] = {}
    for score in sweep.scores:
        value = getattr(score, figure)
        if not np.isnan(value):
            found.setdefault(_place(sweep, score), []).append(value)
    return [(place, pick(values)) for place, values in sorted(found.items())]


def _place(sweep: LayerSweep, score: LayerScore) -> float:
    number = score.clip_layer if _is_of_videos(sweep) else score.text_layer
    return float(sweep.scores.index(score)) if np.isnan(number) else number


def _is_of_videos(sweep: LayerSweep) -> bool:
    """Return whether the layers of the videos vary; else those of the texts do."""
    return len({score.clip for score in sweep.scores}) > 1


def _axis_title(sweep: LayerSweep) -> str:
    if any(score.clip != score.text for score in sweep.scores):
        return f"layer of the {'videos' if _is_of_videos(sweep) else 'texts'}"
    return "layer"


def _table(sweep: LayerSweep) -> Html:
    head, *rows = table_rows(sweep)
    body = [
        element("tr", element("th", row[0], scope="row"), *(element("td", c) for c in row[1:]))
        for row in rows
    ]
    table = element(
        "table",
        element("thead", element("tr", *(element("th", name, scope="col") for name in head))),
        element("tbody", *body),
    )
    return element("div", table, class_="scroll", tabindex="0")


def _rounded(value: float, digits: int) -> str:
    return "" if np.isnan(value) else f"{value:.{digits}f}"


def _ends(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"


def _short(value: float) -> str:
    return f"{value:.4g}"
