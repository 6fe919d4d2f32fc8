"""Run `moviola failures`: the files that could not be used, and why."""

from __future__ import annotations

from typing import Annotated

import typer

from moviola.cli.console import print_json, print_table
from moviola.cli.options import JsonOption, LibraryOption


def run(
    *,
    library: LibraryOption = None,
    retry: Annotated[bool, typer.Option("--retry", help="Try these files again.")] = False,
    as_json: JsonOption = False,
) -> int:
    """List the files that could not be used, each with a code and one sentence."""
    from moviola.cli import index
    from moviola.core import display_path
    from moviola.core.paths import library_path
    from moviola.pipeline.search.search import open_library

    failed = open_library(library_path(library)).failures()
    if retry and failed:
        paths = [name.path for record in failed for name in record.names]
        return index.run(paths, library=library, retry=True, as_json=as_json)
    rows = [(name.path, record.code, record.message) for record in failed for name in record.names]
    if as_json:
        print_json(
            [{"path": str(path), "code": code, "message": message} for path, code, message in rows]
        )
    elif rows:
        print_table(("code", "file", "why"), [(c, display_path(p), m) for p, c, m in rows])
    else:
        typer.echo("no failed files")
    return 0
