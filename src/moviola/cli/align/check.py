"""Provide `moviola align check`: check the pairs that a head would learn from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from moviola.cli.console import print_json, print_table
from moviola.cli.options import JsonOption


def run(
    *,
    texts: Annotated[
        str,
        typer.Option(
            metavar="T", help="Embeddings of captions: .npy, FILE:TENSOR, a store, or a folder."
        ),
    ],
    videos: Annotated[
        str, typer.Option(metavar="V", help="Embeddings of videos, in the same forms.")
    ],
    caption_video: Annotated[
        str | None,
        typer.Option(
            metavar="INDEX", help="Row of its video for every caption, from 0: (texts,) .npy."
        ),
    ] = None,
    pool: Annotated[
        str | None, typer.Option(help="How several rows of an item become one: mean, none, …")
    ] = None,
    pairs: Annotated[
        str, typer.Option(metavar="P+N", help="Own and foreign captions a video.")
    ] = "1+1",
    batch: Annotated[int, typer.Option(min=1, help="Pairs a batch.")] = 32,
    seed: Annotated[int, typer.Option(help="Of split, choice and order.")] = 0,
    out: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Write the table of pairs here.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check the pairs that a head would learn from: shapes, balance of labels, copies and leaks.

    Exits with 2 where something is wrong that makes the numbers meaningless.
    """
    from moviola.core import display_path
    from moviola.pipeline.align.checking import check_files

    positives, _, negatives = pairs.partition("+")
    if not (positives.isdecimal() and negatives.isdecimal()):
        raise typer.BadParameter(f"--pairs is two numbers such as 20+20, not {pairs!r}")
    found = check_files(
        texts,
        videos,
        caption_video=caption_video,
        pooling=pool,
        positives=int(positives),
        negatives=int(negatives),
        batch=batch,
        seed=seed,
        out=out,
    )
    if as_json:
        print_json(found.to_json())
    else:
        print_table(
            ["split", "batches", "pairs", "positive", "videos", "texts", "of a batch"],
            [
                (
                    name,
                    f"{seen.batches:,}",
                    f"{seen.pairs:,}",
                    f"{100 * seen.positives:.1f} %",
                    f"{seen.videos:,}",
                    f"{seen.texts:,}",
                    f"texts {seen.text_shape}, videos {seen.video_shape}",
                )
                for name, seen in found.splits.items()
            ],
        )
        for finding in found.findings:
            typer.echo(f"{finding.severity}: {finding.sentence}")
        if not found.findings:
            typer.echo("nothing is wrong: no leak, no copies, labels in balance")
        if out is not None:
            typer.echo(display_path(out))
    if not found.is_sound:
        raise typer.Exit(2)
