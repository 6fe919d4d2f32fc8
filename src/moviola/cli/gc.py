"""Run `moviola gc`: delete what was forgotten, for good."""

from __future__ import annotations

import typer

from moviola.cli.console import print_json, readable_bytes
from moviola.cli.options import JsonOption, LibraryOption


def run(*, library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Delete for good what was forgotten, and what old versions and backups take up."""
    from dataclasses import asdict

    from moviola.core.paths import library_path
    from moviola.pipeline.forget.forget import collect_garbage
    from moviola.pipeline.search.search import open_library

    collected = collect_garbage(open_library(library_path(library)))
    if as_json:
        print_json(asdict(collected))
        return
    files = "1 forgotten file" if collected.names == 1 else f"{collected.names} forgotten files"
    typer.echo(f"deleted {files}; {readable_bytes(collected.bytes)} are free again")
