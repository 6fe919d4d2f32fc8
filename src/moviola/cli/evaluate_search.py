"""Run `moviola evaluate-search`: the real search over a library, measured."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moviola.cli.console import print_json, print_table, progress
from moviola.cli.options import JsonOption, LibraryOption, PerQueryOption

if TYPE_CHECKING:
    from moviola.pipeline.evaluate.moments.library_search import SearchEvaluation


def run(
    *,
    queries: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="JSON lines of query_id, query, video (path or name), start, end; or the "
            "annotations of TVR, QVHighlights, Charades-STA, ActivityNet or DiDeMo.",
        ),
    ],
    library: LibraryOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Also write the hits there, as TVR's submission (.json)."
        ),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write a page there (.html).")
    ] = None,
    per_query: PerQueryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Search a library for queries whose moments are known, and measure what it finds.

    VCMR, SVMR and VR as TVR's evaluation code defines them, the time of a query, and how often
    each band is right: a first hit is, where its peak lies in a true moment.
    """
    from moviola.core.paths import library_path
    from moviola.pipeline.evaluate.moments.library_search import evaluate_search, write_submission
    from moviola.pipeline.evaluate.moments.rows import write_rows
    from moviola.pipeline.evaluate.moments.search_page import write_search_page

    with progress("queries") as line:
        found = evaluate_search(
            library_path(library),
            queries,
            on_progress=lambda done, total: line.update(done=done, total=total, note=""),
        )
    if out is not None:
        write_submission(found, out)
    if report is not None:
        write_search_page(found, report)
    if per_query is not None:
        write_rows(found.corpus, per_query)
    if as_json:
        print_json(found.to_json())
    else:
        _show(found)


def _show(found: SearchEvaluation) -> None:
    rows: list[tuple[str, ...]] = []
    for task, values in found.corpus.aggregates.items():
        bounds: Mapping[str, tuple[float, float]] = found.corpus.intervals.get(task, {})
        rows += [
            (task, name, f"{value:.2f}", _interval(bounds.get(name)))
            for name, value in values.items()
        ]
    print_table(("", "measure", "%", "95 % interval"), rows)
    typer.echo("")
    shown = [
        (band, f"{100 * share:.1f} %", f"{100 * found.bands.right[band]:.1f} %")
        for band, share in found.bands.share.items()
    ]
    print_table(("band", "of queries", "right"), shown)
    if found.bands.error is not None:
        typer.echo(f"calibration error {found.bands.error:.3f}")
    times = found.ms_per_query
    typer.echo(
        f"\n{len(found.corpus.queries)} queries; {times['p50']:.1f} ms a query (median), "
        f"{times['p95']:.1f} ms at the 95th percentile"
    )
    for note in found.notes:
        typer.echo(f"NOTE: {note}")


def _interval(bounds: tuple[float, float] | None) -> str:
    return "" if bounds is None else f"[{bounds[0]:.2f}, {bounds[1]:.2f}]"
