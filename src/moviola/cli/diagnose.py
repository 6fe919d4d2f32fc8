"""Provide `moviola diagnose`: explain a bad number."""

from __future__ import annotations

from typing import Annotated

import typer

from moviola.cli.console import print_json
from moviola.cli.options import JsonOption


def run(
    *,
    texts: Annotated[
        str | None,
        typer.Option(
            metavar="T", help="Embeddings of captions: .npy, FILE:TENSOR, a store, or a folder."
        ),
    ] = None,
    videos: Annotated[
        str | None, typer.Option(metavar="V", help="Embeddings of videos, in the same forms.")
    ] = None,
    caption_video: Annotated[
        str | None,
        typer.Option(
            metavar="INDEX", help="Row of its video for every caption, from 0: (texts,) .npy."
        ),
    ] = None,
    pool: Annotated[
        str | None, typer.Option(help="How several rows of an item become one: mean, first, …")
    ] = None,
    similarity: Annotated[
        str | None,
        typer.Option(metavar="S", help="A score matrix instead: texts times videos, .npy."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Explain a bad number: one sentence a finding, with its cause and the remedy.

    Looks for chance, constant or copied vectors, NaN, cones, rogue dimensions, collapse, the
    modality gap, hubs, and captions that count as wrong although they are right.
    """
    from moviola.pipeline.evaluate.diagnosing import diagnose_files, diagnose_matrix

    if similarity is not None:
        if texts or videos or pool:
            raise typer.BadParameter("give either --similarity, or --texts and --videos")
        found = diagnose_matrix(similarity, caption_video=caption_video)
    elif texts is not None and videos is not None:
        found = diagnose_files(texts, videos, caption_video=caption_video, pooling=pool)
    else:
        raise typer.BadParameter("give --texts and --videos, or --similarity")
    if as_json:
        print_json(found.to_json())
    else:
        typer.echo(str(found))
