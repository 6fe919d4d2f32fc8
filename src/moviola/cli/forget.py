"""Run `moviola forget`: take videos out of a library."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from moviola.cli.console import print_json, say
from moviola.cli.options import JsonOption, LibraryOption


def run(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH...", help="Files, or folders with all that is below them."),
    ] = None,
    *,
    library: LibraryOption = None,
    missing: Annotated[
        bool, typer.Option("--missing", help="Whatever is gone from folders that are there.")
    ] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Bring back what was forgotten last, or PATHs.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask, however many they are.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Take videos out of the library; their files are not touched.

    They are found no more at once. Until a later run tidies the library, or `moviola gc` does,
    --undo brings them back.
    """
    from moviola.core.paths import library_path
    from moviola.pipeline.forget.forget import forget, restore
    from moviola.pipeline.search.search import open_library

    named = [path.expanduser().absolute() for path in paths or ()]
    if undo and missing:
        raise ValueError("--undo brings back, --missing forgets; give one of them")
    if not named and not missing and not undo:
        raise ValueError("say what to forget: PATH..., --missing, or --undo to bring back")
    opened = open_library(library_path(library))
    if undo:
        shown = restore(opened, named)
        if as_json:
            print_json({"restored": [str(path) for path in shown]})
        else:
            _list("brought back", shown, nothing="nothing to bring back; index the folder again")
        return
    report = forget(opened, named, missing=missing, agrees=lambda count: _agrees(count, yes=yes))
    for folder in report.unmounted:
        from moviola.core import display_path

        say(
            f"{display_path(folder)} is not there, so nothing in it was forgotten; connect its "
            "disk, or name the folder"
        )
    if as_json:
        print_json(
            {
                "forgotten": [str(path) for path in report.paths],
                "present": [str(path) for path in report.present],
            }
        )
        return
    _list("forgot", report.paths, nothing="nothing is missing")
    if report.present:
        are = "1 of them is" if len(report.present) == 1 else f"{len(report.present)} of them are"
        typer.echo(f"{are} still there and will come back when the folder is indexed again")
    if report.paths:
        typer.echo("`moviola forget --undo` brings them back until the library is tidied")


def _agrees(count: int, *, yes: bool) -> bool:
    from moviola.pipeline.forget.forget import MANY

    if count <= MANY or yes:
        return True
    if not sys.stdin.isatty():
        raise ValueError(f"{count} files would be forgotten; say --yes if they shall")
    if not typer.confirm(f"Forget {count} files?"):
        raise typer.Abort
    return True


def _list(what: str, paths: tuple[Path, ...], *, nothing: str) -> None:
    from moviola.core import display_path
    from moviola.pipeline.forget.forget import MANY

    if not paths:
        typer.echo(nothing)
        return
    typer.echo(f"{what} {len(paths)} {'file' if len(paths) == 1 else 'files'}")
    for path in paths[:MANY]:
        typer.echo(f"  {display_path(path)}")
    if len(paths) > MANY:
        typer.echo(f"  and {len(paths) - MANY} more")
