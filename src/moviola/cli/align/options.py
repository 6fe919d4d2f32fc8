"""Define the options that several commands of `moviola align` share."""

from __future__ import annotations

from typing import Annotated

import typer

TextsOption = Annotated[
    str,
    typer.Option(
        metavar="T", help="Vectors of captions: .npy, FILE.safetensors:TENSOR, a store, a folder."
    ),
]
VideosOption = Annotated[str, typer.Option(metavar="V", help="Vectors of videos, likewise.")]
IndexOption = Annotated[
    str | None,
    typer.Option(metavar="INDEX", help="Whose is whose: .npy of rows, or .csv of text and video."),
]
PoolOption = Annotated[
    str | None, typer.Option(help="How several rows an item become one: mean, max, ….")
]
