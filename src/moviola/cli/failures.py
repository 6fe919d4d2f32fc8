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
    """List the files, and channels of files, that could not be read: a code and one sentence."""
    from moviola.cli import index
    from moviola.core import display_path
    from moviola.core.paths import library_path
    from moviola.pipeline.search.search import open_library

    opened = open_library(library_path(library))
    failed = opened.failures()
    unread = [(r, mark) for r in opened.videos() for mark in r.channels if mark.code.is_failure]
    if retry and (failed or unread):
        records = (*failed, *(record for record, _ in unread))
        paths = list(dict.fromkeys(name.path for record in records for name in record.names))
        return index.run(paths, library=library, retry=True, as_json=as_json)
    rows = [(name.path, r.code, "", r.message) for r in failed for name in r.names]
    rows += [(record.path, mark.code, mark.channel, mark.message) for record, mark in unread]
    if as_json:
        print_json(
            [
                {"path": str(path), "code": code, "message": message}
                | ({"channel": channel} if channel else {})
                for path, code, channel, message in rows
            ]
        )
    elif rows:
        told = [
            (code, display_path(path), f"{channel}: {message}" if channel else message)
            for path, code, channel, message in rows
        ]
        print_table(("code", "file", "why"), told)
    else:
        typer.echo("no failed files")
    return 0
