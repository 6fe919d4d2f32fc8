"""`moviola compare`: is B better than A, or was it luck?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from moviola.cli.console import print_json, print_table
from moviola.cli.options import JsonOption

_PLACE = "Folder that `moviola evaluate --out` wrote."


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

    Results of another protocol, gallery, relevance or reading of ties are refused.
    """
    from moviola.pipeline.comparing import compare_reports

    found = compare_reports(a, b, force=force)
    if as_json:
        print_json(found.to_json())
        return
    rows = [
        (
            side,
            name,
            _shown(name, each.a),
            _shown(name, each.b),
            " ".join(
                (
                    _shown(name, each.difference, signed=True),
                    f"[{_shown(name, each.interval[0], signed=True)},",
                    f"{_shown(name, each.interval[1], signed=True)}]",
                )
            ),
            f"{each.p:.4f}",
            f"{each.won}/{each.lost}/{each.tied}",
        )
        for side, measures in found.sides.items()
        for name, each in measures.items()
    ]
    print_table(("", "measure", "A", "B", "B - A [95 %]", "p", "won/lost/tied"), rows)
    typer.echo(f"\nA: {found.a}\nB: {found.b}\np: paired randomisation test, two-sided")
    for note in (*(f"not measured alike: {each}" for each in found.unlike), *found.notes):
        typer.echo(f"NOTE: {note}")


def _shown(measure: str, value: float, *, signed: bool = False) -> str:
    digits = 4 if measure in ("MRR", "mAP") else 1
    return f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"
