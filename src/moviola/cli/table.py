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
    captions: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="Captions and their videos (.csv .jsonl .parquet with the columns video or "
            "video_id, and caption or sentence; or .json as MSR-VTT or COCO has it).",
        ),
    ],
    video_embeddings: Annotated[
        Path, typer.Option(metavar="DIR", help="One .npy a video, such as video7890.npy.")
    ],
    text_embeddings: Annotated[
        Path, typer.Option(metavar="DIR", help="One .npy a caption, such as video7890-1.npy.")
    ],
    out: Annotated[Path, typer.Option(metavar="TABLE", help="File to write: .csv or .parquet.")],
    videos: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of videos; leave it out where there are none."),
    ] = None,
    columns: Annotated[
        str,
        typer.Option(
            metavar="NAME=COLUMN,…",
            help="What the columns of the captions are called: video, caption, start, end, split.",
        ),
    ] = "",
    as_json: JsonOption = False,
) -> int:
    """Join videos, captions and embeddings into one checked table, a row for every caption.

    Captions that lack something get no row; what is missing or cannot be used is listed, and the
    exit code is 3. Videos without captions get a row each: they stay in the gallery.
    """
    from moviola.core import ExitCode, display_path
    from moviola.pipeline.inputs.tables import make_table

    report = make_table(
        videos=videos,
        captions=captions,
        video_embeddings=video_embeddings,
        text_embeddings=text_embeddings,
        out=out,
        columns=_mapping(columns),
    )
    if as_json:
        print_json(asdict(report))
    else:
        for absent in report.missing:
            say(f"missing: {absent.what} {display_path(absent.name)}")
        for each in report.bad:
            say(f"bad: {each.why}")
        for what, count in Counter(absent.what for absent in report.unused).items():
            say(f"{what}s that no row needs: {count:,}")
        typer.echo(
            f"{report.rows:,} of {report.captions:,} captions in {display_path(out)}, "
            f"{report.uncaptioned:,} videos without captions, "
            f"{len(report.missing):,} things missing, {len(report.bad):,} bad files"
        )
    return int(ExitCode.FAILED_ITEMS if report.missing or report.bad else ExitCode.OK)


def _mapping(columns: str) -> dict[str, str]:
    """Read `NAME=COLUMN,NAME=COLUMN`.

    Raises:
        typer.BadParameter: when a part has no `=`, or nothing on one of its sides.
    """
    found: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in columns.split(","))):
        name, _, column = (side.strip() for side in part.partition("="))
        if not name or not column:
            raise typer.BadParameter(f"--columns takes NAME=COLUMN, such as video=clip; got {part}")
        found[name] = column
    return found
