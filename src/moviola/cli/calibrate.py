"""Run `moviola calibrate`: probabilities of a library from a user's own pairs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moviola.cli.console import print_json, print_table, progress
from moviola.cli.options import JsonOption, LibraryOption

if TYPE_CHECKING:
    from moviola.library import Library
    from moviola.pipeline.calibrate.calibrate import CalibrationReport
    from moviola.pipeline.calibrate.intervals import Measured
    from moviola.pipeline.calibrate.joining import JoiningReport


def run(
    *,
    captions: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="A table (.csv, .jsonl, .parquet) with the columns video and caption, about "
            "videos of the library; start and end, in seconds, also choose how windows are joined.",
        ),
    ],
    library: LibraryOption = None,
    judge: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Calibrate the scores of this model, as search --rerank is told it, in place of "
            "the library's.",
        ),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Hits of a caption that the judge reads.")] = 5,
    as_json: JsonOption = False,
) -> None:
    """Make the probabilities of a library's hits from captions of its own videos.

    Every caption is searched as it is, and with its video taken away. The calibration is kept in
    the library (calibration.json; of judges judges.json); delete that file to go back. Needs 50
    captions of 20 videos.
    """
    from moviola.core.paths import library_path
    from moviola.pipeline.calibrate.calibrate import calibrate
    from moviola.pipeline.search.search import open_library

    opened = open_library(library_path(library))
    if judge is not None:
        _calibrate_judge(captions, opened, judge, top, as_json=as_json)
        return
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


def _calibrate_judge(
    captions: Path, library: Library, judge: str, top: int, *, as_json: bool
) -> None:
    """Calibrate a judge, and print what its probabilities are worth."""
    from moviola.pipeline.calibrate.judge import calibrate_judge

    with progress("captions") as line:
        found = calibrate_judge(
            captions,
            library,
            judge,
            top=top,
            on_progress=lambda done, total: line.update(done=done, total=total, note=""),
        )
    if as_json:
        print_json(asdict(found))
        return
    told = found.measures
    typer.echo(
        f"{found.judged} hits of {found.captions} captions of {found.videos} videos, "
        f"{told.right:.0%} right;\nmeasured on videos left out of the fit: AUC {told.auc:.3f}, "
        f"calibration error {told.error:.3f}"
    )
    if found.unknown:
        typer.echo(f"NOTE: {found.unknown} captions name no video of the library")


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
        "without it;\nmeasured on videos left out of the fit, intervals over videos"
    )
    if found.joining:
        _show_joining(found.joining)
    if found.unknown:
        typer.echo(f"NOTE: {found.unknown} captions name no video of the library")
    if not found.absent_said:
        typer.echo(
            'NOTE: "nothing matches well" will not be said: these pairs do not show that it would\n'
            "be right"
        )


def _show_joining(found: JoiningReport) -> None:
    """Print how windows are joined, and how often the moments are then right."""
    ways = [
        "the scores themselves" if sharpness == 0 else f"exp({sharpness:g} x score)"
        for sharpness in (found.sharpness, found.before)
    ]
    verdict = "kept on the card" if ways[0] != ways[1] else "as before: no other was better"
    typer.echo(
        f"windows are joined by {ways[0]}, {verdict}\nof {found.captions} captions whose moments "
        f"are known {_format(found.right.value)} are found at IoU 0.7 inside their video\n"
        f"({_range(found.right)}, on videos left out of the choice), "
        f"{_format(found.right_before.value)} by {ways[1]}"
    )


def _format(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _range(figure: Measured) -> str:
    return "-" if figure.low is None else f"{figure.low:.3f} to {figure.high:.3f}"
