"""Provide `moviola serve`: serve the search page."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from moviola.cli.console import say
from moviola.cli.options import LibraryOption


def run(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(metavar="DIR...", help="Folders to index from the page, beside known ones."),
    ] = None,
    *,
    library: LibraryOption = None,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Port. Default: the first free one from 7860 on."),
    ] = None,
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Address to listen on. Beyond this machine only the printed link lets in.",
        ),
    ] = "127.0.0.1",
    token: Annotated[
        str | None,
        typer.Option(
            envvar="MOVIOLA_TOKEN", help="Secret of the printed link. Default: made at every start."
        ),
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")
    ] = True,
    show_paths: Annotated[
        bool, typer.Option("--show-paths", help="Tell the page whole paths.")
    ] = False,
) -> None:
    """Serve a page in the browser that searches a library, on this machine, without any network.

    `moviola index` may run meanwhile: what it commits appears by itself.
    """
    # Before NumPy is loaded: searches that are ranked at the same time would wait for one another
    # inside OpenBLAS, spinning, at two thirds more processor time a search.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Before torch is: its threads would spin, for milliseconds and on all cores, between the steps
    # of a model, which the threads that rank and answer need meanwhile.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    from moviola.core.paths import library_path
    from moviola.serve.launch.start import serve

    with suppress(KeyboardInterrupt):  # the way to end it
        serve(
            library_path(library),
            roots=[folder.absolute() for folder in folders or ()],
            host=host,
            port=port,
            access=token,
            open_browser=browser,
            show_paths=show_paths,
            say=say,
        )
