"""Run `moviola export`: a whole library into one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from moviola.cli.console import print_json, readable_bytes
from moviola.cli.options import JsonOption


def run(
    library: Annotated[Path, typer.Argument(metavar="LIB", help="Folder of the library.")],
    archive: Annotated[Path, typer.Argument(metavar="FILE", help="The archive to write.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Put a library into one checksummed file, as a backup or for another machine.

    The videos themselves stay where they are; `moviola import` takes the library out again.
    """
    from moviola.core import display_path
    from moviola.pipeline.upkeep.archive import export_library

    size = export_library(library, archive)
    if as_json:
        print_json({"archive": str(archive), "bytes": size})
    else:
        typer.echo(f"{display_path(archive)}: {readable_bytes(size)}")
