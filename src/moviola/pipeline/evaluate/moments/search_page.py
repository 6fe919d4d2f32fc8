"""Write a search evaluation as an offline page, with the reliability diagram of its bands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from moviola.core.version import __version__
from moviola.evaluate.moments.bands import BandResult
from moviola.evaluate.report.charts import Axis, Series, line_chart
from moviola.evaluate.report.document import document
from moviola.evaluate.report.markup import Html, element
from moviola.pipeline.evaluate.moments.library_search import SearchEvaluation

_SHARES = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
_TITLE = "How well the search finds the moment"


def render_search_page(evaluation: SearchEvaluation) -> str:
    """Render one self-contained HTML file: no script, no network, light and dark."""
    corpus = evaluation.corpus
    first = corpus.aggregates["VCMR"]["0.5-r1"]
    lead = (
        f"Of {len(corpus.queries):,} queries, {first:.2f} % find their moment first in the whole "
        f"library (R@1 at IoU 0.5); a query takes {evaluation.ms_per_query['p50']:.0f} ms (median) "
        f"and {evaluation.ms_per_query['p95']:.0f} ms at the 95th percentile."
    )
    return document(
        _TITLE,
        element("h1", _TITLE),
        element("p", lead, class_="lead"),
        *(element("p", note, class_="warning") for note in evaluation.notes),
        element("h2", "Moments in the whole library"),
        *(
            _table(task, values, corpus.intervals.get(task, {}))
            for task, values in corpus.aggregates.items()
        ),
        element(
            "p",
            "VCMR: the right moment in the right video. SVMR: the same, searching the right video "
            "alone. VR: the right video. R@K in percent at an overlap (IoU) of 0.5 and 0.7, as "
            "TVR's evaluation code defines them; below each number its 95 % bootstrap interval.",
            class_="note",
        ),
        element("h2", "What bands promise"),
        *_bands(evaluation.bands),
        element("footer", f"Moviola {__version__}; library {evaluation.library}."),
    )


def write_search_page(evaluation: SearchEvaluation, path: Path) -> None:
    """Write the page to an `.html` file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render_search_page(evaluation), encoding="utf-8", newline="\n")


def _table(
    task: str, values: Mapping[str, float], intervals: Mapping[str, tuple[float, float]]
) -> Html:
    head = element(
        "tr", element("th", task), *(element("th", name, scope="col") for name in values)
    )
    cells: list[Html] = []
    for name, value in values.items():
        bounds = intervals.get(name)
        under = "" if bounds is None else f"{bounds[0]:.1f} to {bounds[1]:.1f}"
        cells.append(element("td", element("b", f"{value:.2f}"), element("small", under)))
    body = element("tr", element("th", "%", scope="row"), *cells)
    table = element("table", element("thead", head), element("tbody", body))
    return element("div", table, class_="scroll", tabindex="0")


def _bands(bands: BandResult) -> list[Html]:
    head = element("tr", *(element("th", name) for name in ("band", "share of queries", "right")))
    rows = (
        element(
            "tr",
            element("th", band, scope="row"),
            element("td", f"{100 * share:.1f} %"),
            element("td", f"{100 * bands.right[band]:.1f} %"),
        )
        for band, share in bands.share.items()
    )
    table = element("table", element("thead", head), element("tbody", *rows))
    made = [
        element("div", table, class_="scroll", tabindex="0"),
        element(
            "p",
            "A first hit is right where its peak lies in a true moment of the right video.",
            class_="note",
        ),
    ]
    if bands.error is None:
        said = "This library tells no probabilities: there is no reliability diagram to draw."
        return [*made, element("p", said, class_="note")]
    points = [(each.promised, each.right) for each in bands.diagram]
    picture = line_chart(
        [
            Series("right", points, "t2v"),
            Series("as promised", [(0.0, 0.0), (1.0, 1.0)], "chance"),
        ],
        Axis(0, 1, _SHARES, "probability that was told"),
        Axis(0, 1, _SHARES, "share that was right"),
        label="Reliability diagram",
    )
    caption = (
        f"Below the dotted line the search promises too much, above it too little. Expected "
        f"calibration error {bands.error:.3f}; hits in the {len(points)} bins: "
        f"{', '.join(str(each.count) for each in bands.diagram)}."
    )
    figure = element(
        "figure", element("h3", "Reliability"), picture, element("figcaption", caption)
    )
    return [*made, element("div", figure, class_="charts")]
