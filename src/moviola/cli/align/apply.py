"""Provide `moviola align apply`: map vectors into the space of a head."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from moviola.cli.align.options import PoolOption
from moviola.cli.console import print_json
from moviola.cli.options import JsonOption


def run(
    head: Annotated[str, typer.Argument(metavar="HEAD", help="Folder or hub id of the head.")],
    *,
    out: Annotated[Path, typer.Option(metavar="STORE", help="Folder of the store to write.")],
    videos: Annotated[str | None, typer.Option(metavar="V", help="Vectors of videos.")] = None,
    texts: Annotated[str | None, typer.Option(metavar="T", help="Vectors of texts.")] = None,
    pool: PoolOption = None,
    as_json: JsonOption = False,
) -> None:
    """Map videos, or texts, into the space of a head, and store them."""
    from moviola.align import Aligner
    from moviola.core import display_path
    from moviola.pipeline.align.fitting import apply_head

    if (texts is None) == (videos is None):
        raise typer.BadParameter("give --videos or --texts, one of both")
    loaded = Aligner.from_pretrained(head)
    count = apply_head(loaded, out=out, texts=texts, videos=videos, pooling=pool)
    if as_json:
        print_json({"items": count, "space": loaded.space.digest, "written": str(out)})
    else:
        typer.echo(f"{count:,} items in {display_path(out)}")
