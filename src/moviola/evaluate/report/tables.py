"""Lay out tables of measures: the headline, and below it corrected results."""

from __future__ import annotations

from collections.abc import Sequence

from moviola.evaluate.corrected import CorrectedResult, by_kind, distinct_notes
from moviola.evaluate.measures import Combined, MeasureCard
from moviola.evaluate.report.markup import Html, element, join
from moviola.evaluate.results import DirectionResult

_HONEST = (
    "Each text is ranked by itself, from the videos and a bank of captions that were there before "
    "the test: the answer to one text does not depend on which others are asked."
)
_MISLEADING = (
    "Not comparable with the headline. These looked at all the queries of the test together, and "
    "such a test asks for every video about equally often: whoever knows that can give each video "
    "to the query that wants it most. People who search do not ask like that, and one query alone "
    "would get another answer."
)
_DIRECTIONS = {"t2v": "text-to-video", "v2t": "video-to-text"}


def measures_table(rows: Sequence[tuple[str, DirectionResult]]) -> Html:
    """Lay out one row a direction, under each number its interval."""
    measures = rows[0][1].measures
    names = (element("th", str(measure), scope="col") for measure in measures)
    head = element("tr", element("th", ""), *names)
    body = (
        element("tr", element("th", title, scope="row"), *[_cell(side, each) for each in measures])
        for title, side in rows
    )
    table = element("table", element("thead", head), element("tbody", *body))
    return element("div", table, class_="scroll", tabindex="0")


def corrected_section(results: Sequence[CorrectedResult]) -> list[Html]:
    """Show inductive corrections, and visibly apart transductive ones; nothing for none."""
    if not results:
        return []
    return [
        element("h2", "Corrected for hubs"),
        element("p", "Beside the headline, not part of it: the same scores after a correction."),
        *(_kind(heading, found) for heading, found in by_kind(results)),
    ]


def _kind(heading: str, results: Sequence[CorrectedResult]) -> Html:
    apart = results[0].transductive
    kind, _, _ = heading.partition(":")
    rows = [
        (join([result.name, element("small", _DIRECTIONS[key])]), side)
        for result in results
        for key, side in result.sides.items()
    ]
    return element(
        "section",
        element("h3", kind.capitalize()),
        element("p", _MISLEADING if apart else _HONEST),
        measures_table(rows),
        *(element("p", note, class_="note") for note in distinct_notes(results)),
        class_="apart" if apart else None,
    )


def _cell(side: DirectionResult, measure: MeasureCard | Combined) -> Html:
    low, high = side.intervals[str(measure)]
    return element(
        "td",
        element("b", measure.show(side[str(measure)])),
        element("small", f"{measure.show(low)} to {measure.show(high)}"),
    )
