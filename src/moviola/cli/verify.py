"""Run `moviola verify`: find what of a library or store is not what was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from moviola.cli.console import print_json, say
from moviola.cli.options import JsonOption, LibraryArgument

if TYPE_CHECKING:
    from moviola.library import Problem


def run(
    library: LibraryArgument = None,
    *,
    deep: Annotated[
        bool,
        typer.Option("--deep", help="Also recompute the checksum of every single row."),
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """Compare every file of a library, or of a store, with its checksum.

    Damage is named by video where it can be; exit 0 where all is sound, 6 where something is not.
    """
    from moviola.core import ExitCode, display_path
    from moviola.core.paths import library_path
    from moviola.pipeline.upkeep.verify import verify

    place = library_path(library)
    found = verify(place, deep=deep)
    if as_json:
        print_json(
            {
                "ok": found.ok,
                "videos": [{"video": problem.video} | _entry(problem) for problem in found.videos],
                "derived": [_entry(problem) for problem in found.derived],
                "library": [_entry(problem) for problem in found.whole],
            }
        )
    elif found.ok:
        typer.echo("all of it is what was written")
    else:
        for problem in found.problems:
            typer.echo(line_of(problem))
        say(f"mend it with: moviola repair {display_path(place)}")
    return int(ExitCode.OK if found.ok else ExitCode.STORE_CORRUPT)


def line_of(problem: Problem) -> str:
    """Write a problem as one line that begins with its file."""
    from moviola.core import display_path

    return problem.what if problem.path is None else f"{display_path(problem.path)}: {problem.what}"


def _entry(problem: Problem) -> dict[str, str]:
    return {"path": "" if problem.path is None else str(problem.path), "what": problem.what}
