"""Provide `moviola table`: join videos, captions and two folders of embeddings into one table."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from moviola.cli.console import print_json, say
from moviola.cli.options import JsonOption


def run(
    *,
    videos: Annotated[Path, typer.Option(metavar="DIR", help="Folder of videos.")],
    captions: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="Captions and their videos (.csv .jsonl .parquet with the columns video and "
            "caption; or .json as MSR-VTT or COCO has it).",
        ),
    ],
    video_embeddings: Annotated[
        Path, typer.Option(metavar="DIR", help="One .npy a video, such as video7890.npy.")
    ],
    text_embeddings: Annotated[
        Path, typer.Option(metavar="DIR", help="One .npy a caption, such as video7890-1.npy.")
    ],
    out: Annotated[Path, typer.Option(metavar="TABLE", help="File to write: .csv or .parquet.")],
    as_json: JsonOption = False,
) -> int:
    """Join videos, captions and embeddings into one checked table, a row for every caption.

    Captions that lack something get no row; what is missing is listed, and the exit code is 3.
    """
    from moviola.core import ExitCode, display_path
    from moviola.pipeline.inputs.tables import make_table

    report = make_table(
        videos=videos,
        captions=captions,
        video_embeddings=video_embeddings,
        text_embeddings=text_embeddings,
        out=out,
    )
    if as_json:
        print_json(asdict(report))
    else:
        for absent in report.missing:
            say(f"missing: {absent.what} {display_path(absent.name)}")
        for what, count in Counter(absent.what for absent in report.unused).items():
            say(f"{what}s that no caption needs: {count:,}")
        typer.echo(
            f"{report.rows:,} of {report.captions:,} captions in {display_path(out)}, "
            f"{len(report.missing):,} things missing"
        )
    return int(ExitCode.FAILED_ITEMS if report.missing else ExitCode.OK)
