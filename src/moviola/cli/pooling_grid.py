"""Provide `moviola pooling-grid`: evaluate poolings of videos against poolings of texts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from moviola.cli.console import print_json, print_table, progress
from moviola.cli.options import JsonOption


def run(
    *,
    videos: Annotated[
        str, typer.Option(metavar="STORE", help="Unpooled rows of videos (encode --pool none).")
    ],
    texts: Annotated[str, typer.Option(metavar="STORE", help="Unpooled rows of captions.")],
    caption_video: Annotated[
        str | None,
        typer.Option(
            metavar="INDEX", help="Whose is whose: .npy of rows, or .csv of text and video."
        ),
    ] = None,
    poolings: Annotated[
        str,
        typer.Option(
            metavar="NAME,NAME,...",
            help="What is tried on either side: first,max,mean,sum for the report's sixteen cells, "
            "module:attribute for your own; all ten where nothing is named.",
        ),
    ] = "",
    unaligned: Annotated[
        bool, typer.Option("--unaligned", help="Compare vectors of two spaces all the same.")
    ] = False,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for the table and the heat map.")
    ] = Path("pooling-grid"),
    as_json: JsonOption = False,
) -> None:
    """Evaluate every video pooling with every text pooling; write a table and a heat map.

    Says which cells are identical by construction, and which are chance.
    """
    from moviola.analysis.grid_poolings import GRID
    from moviola.analysis.pooling_grid import grid_of_files, write_grid
    from moviola.core import display_path

    with progress("pooling grid") as line:
        grid = grid_of_files(
            texts,
            videos,
            caption_video=caption_video,
            poolings=[each.strip() for each in poolings.split(",")] if poolings else tuple(GRID),
            unaligned=unaligned,
            on_progress=lambda done, total: line.update(done=done, total=total, note="cells"),
        )
    written = write_grid(grid, out)
    if as_json:
        print_json(grid.to_json() | {"written": [str(path) for path in written]})
        return
    short = {name: _short(name) for name in grid.names}
    typer.echo("t2v MRR, poolings of videos down, of texts across")
    print_table(
        ("", *short.values()),
        [
            (short[video], *(f"{grid.cell(video, text).result.t2v['MRR']:.4f}" for text in short))
            for video in short
        ],
    )
    if any(name != label for name, label in short.items()):
        typer.echo("; ".join(f"{label}: {name}" for name, label in short.items() if name != label))
    for note in grid.notes:
        typer.echo(note)
    for path in written:
        typer.echo(display_path(path))


def _short(name: str) -> str:
    """Shorten the name of a pooling, so that the table fits a terminal of 100 columns."""
    label = name.rpartition(":")[2]
    return label.replace("position_weighted_mean", "pwm").replace("drop_first_", "-")
