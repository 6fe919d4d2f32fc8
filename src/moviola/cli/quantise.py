"""Provide `moviola quantise`: write the rows of a store as codes, and say what that loses."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from moviola.cli.console import print_json, print_table
from moviola.cli.options import JsonOption


def run(
    store: Annotated[Path, typer.Argument(metavar="STORE", help="Store of videos.")],
    *,
    to: Annotated[
        Literal["int8", "binary"],
        typer.Option(help="Eight bits a number, or its sign alone."),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Store to write.")],
    texts: Annotated[
        str | None,
        typer.Option(
            metavar="STORE", help="Captions by which the loss in R@1, R@5 and R@10 is measured."
        ),
    ] = None,
    caption_video: Annotated[
        str | None,
        typer.Option(
            metavar="INDEX", help="Whose is whose: .npy of rows, or .csv of text and video."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write the rows of a store as codes beside the rows, which stay for exact re-scoring.

    `evaluate --scorer maxsim,codes=int8` uses the codes. Without --texts the loss is told in
    neighbours: how many of the ten nearest clips of a clip are found.
    """
    from moviola.core import display_path
    from moviola.pipeline.quantise.quantise import quantise_store

    if caption_video is not None and texts is None:
        raise typer.BadParameter("--caption-video says whose --texts are; give them as well")
    report = quantise_store(store, to=to, out=out, texts=texts, caption_video=caption_video)
    if as_json:
        print_json(report.to_json())
        return
    typer.echo(
        f"{report.rows:,} rows of {report.items:,} videos as {report.to}: {report.code_bytes:,} "
        f"bytes beside {report.float_bytes:,}, which stay"
    )
    if report.losses:
        print_table(
            ("measure", "re-scored", "exact", "codes", "difference", "95 % interval"),
            [
                (
                    loss.measure,
                    str(loss.rescored or "none"),
                    f"{loss.exact:.1f}",
                    f"{loss.coded:.1f}",
                    f"{loss.difference:+.1f}",
                    f"[{loss.low:+.1f}, {loss.high:+.1f}]",
                )
                for loss in report.losses
            ],
        )
    typer.echo(display_path(report.written))
