"""Provide `moviola layer-sweep`: rank the layers of a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from moviola.cli.console import print_json, print_table, progress
from moviola.cli.options import JsonOption


def run(
    *,
    videos: Annotated[
        Path, typer.Option(metavar="DIR", help="Stores of videos, one a layer (encode --layers).")
    ],
    texts: Annotated[Path, typer.Option(metavar="DIR", help="Stores of their captions.")],
    caption_video: Annotated[
        str | None,
        typer.Option(
            metavar="INDEX", help="Row of its video for every caption, from 0: (texts,) .npy."
        ),
    ] = None,
    pool: Annotated[
        str | None, typer.Option(help="How several rows of an item become one, such as mean.")
    ] = None,
    cross: Annotated[
        bool, typer.Option("--cross", help="Every layer of the texts with every one of the videos.")
    ] = False,
    neighbours: Annotated[
        int, typer.Option(min=1, help="Nearest neighbours that are compared.")
    ] = 10,
    seed: Annotated[int, typer.Option(help="Of which videos are held out.")] = 0,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for the table and the page.")
    ] = Path("layer-sweep"),
    as_json: JsonOption = False,
) -> None:
    """Rank layers: by their geometry, without labels, and by the MRR on held-out videos.

    Give it training or validation videos: what is chosen on a test has seen the test.
    """
    from moviola.analysis.layer_page import brief_rows, write_sweep
    from moviola.analysis.layer_stores import clip_layers, text_layers
    from moviola.analysis.layer_sweep import sweep_layers
    from moviola.core import display_path

    with progress("layer sweep") as line:
        sweep = sweep_layers(
            text_layers(texts, pool),
            clip_layers(videos, pool),
            caption_video=caption_video,
            cross=cross,
            k=neighbours,
            seed=seed,
            on_progress=lambda done, total: line.update(done=done, total=total, note="pairs"),
        )
    written = write_sweep(sweep, out)
    if as_json:
        print_json(sweep.to_json() | {"written": [str(path) for path in written]})
        return
    head, *rows = brief_rows(sweep)
    print_table(head, rows)
    for note in sweep.notes:
        typer.echo(note)
    for path in written:
        typer.echo(display_path(path))
