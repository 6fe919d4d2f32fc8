"""Run `moviola compare`: two results query by query, with a paired test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moviola.cli.console import print_json, print_table
from moviola.cli.options import JsonOption

if TYPE_CHECKING:
    from moviola.evaluate import Comparison
    from moviola.pipeline.evaluate.comparing import Compared
    from moviola.pipeline.evaluate.mteb_results import ComparedSummaries

_PLACE = "Folder that `moviola evaluate --out` wrote, or mteb's result of a task (.json)."


def run(
    a: Annotated[Path, typer.Argument(metavar="A", help=_PLACE)],
    b: Annotated[Path, typer.Argument(metavar="B", help=_PLACE)],
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Compare results that were not measured alike.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Compare two results query by query, with a paired randomisation test for every measure.

    Results of another protocol, gallery, relevance or reading of ties are refused. Those of mteb
    hold no single queries: they are compared by their aggregates, without a test.
    """
    from moviola.pipeline.evaluate.comparing import compare_reports
    from moviola.pipeline.evaluate.mteb_results import compare_summaries, is_mteb_result

    if is_mteb_result(a) or is_mteb_result(b):
        found = compare_summaries(a, b, force=force)
    else:
        found = compare_reports(a, b, force=force)
    if as_json:
        print_json(found.to_json())
        return
    _show(found)
    for note in (*(f"not measured alike: {each}" for each in found.unlike), *found.notes):
        typer.echo(f"NOTE: {note}")


def _show(found: Compared | ComparedSummaries) -> None:
    from moviola.pipeline.evaluate.comparing import Compared

    if isinstance(found, Compared):
        _show_tests(found)
        said = "\np: paired randomisation test, two-sided"
    else:
        _show_summaries(found)
        said = ""
    typer.echo(f"\nA: {found.a}\nB: {found.b}{said}")


def _show_summaries(found: ComparedSummaries) -> None:
    from moviola.pipeline.evaluate.mteb_results import card_of

    rows = [
        (
            part,
            str(card),
            card.show(each.a),
            card.show(each.b),
            card.show(each.difference, signed=True),
        )
        for part, measures in found.parts.items()
        for card, each in ((card_of(name), each) for name, each in measures.items())
    ]
    print_table(("", "measure", "A", "B", "B - A"), rows)


def _show_tests(found: Compared) -> None:
    shows = {str(measure): measure.show for measure in found.measures}
    rows = [
        (
            side,
            name,
            shows[name](each.a),
            shows[name](each.b),
            _difference(shows[name], each),
            f"{each.p:.4f}",
            f"{each.won}/{each.lost}/{each.tied}",
        )
        for side, measures in found.sides.items()
        for name, each in measures.items()
    ]
    print_table(("", "measure", "A", "B", "B - A [95 %]", "p", "won/lost/tied"), rows)


def _difference(show: Callable[..., str], found: Comparison) -> str:
    low, high = (show(bound, signed=True) for bound in found.interval)
    return f"{show(found.difference, signed=True)} [{low}, {high}]"
