"""Run `moviola calibrate`: probabilities of a library from a user's own pairs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moviola.cli.console import print_json, print_table, progress
from moviola.cli.options import JsonOption, LibraryOption

if TYPE_CHECKING:
    from moviola.pipeline.calibrate.calibrate import CalibrationReport, Measured


def run(
    *,
    captions: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="A table (.csv, .jsonl, .parquet) with the columns video and caption, about "
            "videos of the library.",
        ),
    ],
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the probabilities of a library's hits from captions of its own videos.

    Every caption is searched as it is, and with its video taken away. The calibration is kept in
    the library (calibration.json); delete that file to go back. Needs 50 captions of 20 videos.
    """
    from moviola.core.paths import library_path
    from moviola.pipeline.calibrate.calibrate import calibrate
    from moviola.pipeline.search.search import open_library

    opened = open_library(library_path(library))
    with progress("captions") as line:
        found = calibrate(
            captions,
            opened,
            on_progress=lambda done, total: line.update(done=done, total=total, note=""),
        )
    if as_json:
        print_json(asdict(found))
        return
    _show(found)


def _show(found: CalibrationReport) -> None:
    """Print what was measured, beside what the general calibration says of the same searches."""
    print_table(
        ("measure", "now", "95 % interval", "before"),
        [
            (name, _format(figure.value), _range(figure), _format(found.before[name].value))
            for name, figure in found.figures.items()
        ],
    )
    typer.echo(
        f"\n{found.captions} captions of {found.videos} videos, each searched with its video and "
        "without it; measured on videos left out of the fit, intervals over videos"
    )
    if found.unknown:
        typer.echo(f"NOTE: {found.unknown} captions name no video of the library")
    if not found.absent_said:
        typer.echo(
            'NOTE: "nothing matches well" will not be said: these pairs do not show that it would '
            "be right"
        )


def _format(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _range(figure: Measured) -> str:
    return "-" if figure.low is None else f"{figure.low:.3f} to {figure.high:.3f}"
