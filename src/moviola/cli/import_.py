"""Run `moviola import`: a library out of an archive."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from moviola.cli.console import print_json
from moviola.cli.options import JsonOption


def run(
    archive: Annotated[Path, typer.Argument(metavar="FILE", help="What export wrote.")],
    library: Annotated[Path, typer.Argument(metavar="LIB", help="A new folder for it.")],
    *,
    root: Annotated[
        list[str] | None,
        typer.Option(
            metavar="OLD=NEW",
            help="Where a folder of videos is on this machine; may be given again.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Take a library out of an archive, and verify every row of it."""
    from moviola.core import display_path
    from moviola.pipeline.upkeep.archive import import_library

    roots: dict[Path, Path] = {}
    for pair in root or ():
        before, sign, now = pair.partition("=")
        if not sign or not Path(before).is_absolute():
            raise typer.BadParameter(f"--root wants OLD=NEW with an absolute OLD, got {pair!r}")
        roots[Path(before)] = Path(now).expanduser().absolute()
    opened = import_library(archive, library, roots=roots)
    videos = len(opened.videos())
    if as_json:
        print_json({"library": str(opened.path), "videos": videos})
    else:
        typer.echo(f"{display_path(opened.path)}: {videos} videos")
