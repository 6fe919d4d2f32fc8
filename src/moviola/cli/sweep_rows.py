"""Provide `moviola sweep-rows`: quality against cost of keeping several rows a clip."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from moviola.cli.console import print_json, print_table, progress
from moviola.cli.options import JsonOption


def run(
    stores: Annotated[
        list[Path],
        typer.Argument(
            metavar="STORE...",
            help="Unpooled rows of videos (encode --pool none); or the same videos pooled.",
        ),
    ],
    *,
    texts: Annotated[str, typer.Option(metavar="STORE", help="Captions, any rows each.")],
    caption_video: Annotated[
        str | None,
        typer.Option(
            metavar="INDEX", help="Whose is whose: .npy of rows, or .csv of text and video."
        ),
    ] = None,
    rows: Annotated[
        str, typer.Option(metavar="N,N,...", help="Rows that a video keeps at most.")
    ] = "5,32,128",
    k: Annotated[
        int, typer.Option("--k", min=1, help="Videos that mean vectors choose in two stages.")
    ] = 100,
    rescore: Annotated[
        int, typer.Option(min=1, help="Videos that are scored exactly after codes.")
    ] = 100,
    as_json: JsonOption = False,
) -> None:
    """Compare row counts, poolings, codes and stages: R@1 against bytes a clip and ms a query.

    Every count is tried with float, int8 and binary rows, in one stage and in two.
    """
    from moviola.analysis.row_sweep_files import parse_counts, sweep_row_files

    with progress("row sweep") as line:
        sweep = sweep_row_files(
            texts,
            stores,
            caption_video=caption_video,
            counts=parse_counts(rows),
            k=k,
            rescore=rescore,
            on_progress=lambda done, total: line.update(done=done, total=total, note="ways"),
        )
    if as_json:
        print_json(sweep.to_json())
        return
    print_table(
        ("pooling", "rows", "code", "stages", "R@1", "95 % interval", "bytes a clip", "ms a query"),
        [
            (
                cost.pooling,
                f"{cost.rows:.1f}",
                cost.code,
                str(cost.stages),
                f"{cost.r1:.1f}",
                f"[{cost.low:.1f}, {cost.high:.1f}]",
                f"{cost.bytes_a_clip:,.0f}",
                f"{cost.ms_a_query:.2f}",
            )
            for cost in sweep.costs
        ],
    )
    for note in sweep.notes:
        typer.echo(note)
