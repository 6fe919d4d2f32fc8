"""Run `moviola watch`: index files of folders as they settle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moviola.cli.console import print_json, say, say_failures
from moviola.cli.options import JsonOption, LibraryOption, PrecisionOption

if TYPE_CHECKING:
    from moviola.pipeline.index.report import IndexReport, IndexStep


def run(
    paths: Annotated[
        list[Path], typer.Argument(metavar="DIR...", help="Folders of videos, or single files.")
    ],
    *,
    library: LibraryOption = None,
    model: Annotated[
        str | None, typer.Option(help="Encoder of a new library; see `moviola models`.")
    ] = None,
    segment: Annotated[
        str | None,
        typer.Option(metavar="POLICY", help="How videos are cut, as `moviola index` takes it."),
    ] = None,
    rest: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            min=0.5,
            help="A file is read once its size and time have been the same for so long.",
        ),
    ] = 5.0,
    precision: PrecisionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Index new and changed files of folders as they settle, until Ctrl-C.

    Files that are still copied or recorded wait; deleted ones are marked. The model stays loaded.
    With --json, every run is one line.
    """
    from moviola.core import display_path
    from moviola.core.paths import library_path
    from moviola.pipeline.watch.watch import watch

    place = library_path(library)
    folders = ", ".join(display_path(path) for path in paths)
    say(f"watching {folders} for {display_path(place)}; Ctrl-C ends it")
    watch(
        paths,
        _Presenter(as_json=as_json),
        library=place,
        rest=rest,
        model=model,
        segment=segment,
        precision=precision,
    )


class _Presenter:
    """Print what a watch does."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json

    def waiting(self, growing: int) -> None:
        """Say how many files still grow."""
        if growing:
            say(f"waiting for {growing} {'file' if growing == 1 else 'files'} to settle")

    def locked(self, message: str) -> None:
        """Say that another process writes."""
        say(f"{message}; waiting for it")

    def step(self, step: IndexStep) -> None:
        """Say how far a longer run has come."""
        if step.total > 1 and not self._as_json:
            say(f"{step.done} of {step.total} videos, {step.clips} clips")

    def indexed(self, report: IndexReport) -> None:
        """Say what a run did."""
        say_failures(report.failures)
        for warning in report.warnings:
            say(warning)
        counts = {
            "ok": report.ok,
            "partial": report.partial,
            "failed": report.failed,
            "skipped": report.skipped,
            "clips": report.clips,
        }
        if self._as_json:
            print_json(counts)
        else:
            typer.echo(
                f"{report.ok + report.partial} indexed, {report.failed} failed, "
                f"{report.skipped} unchanged; {report.clips} clips"
            )
