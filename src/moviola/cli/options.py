"""Options that several commands take, spelled once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from moviola.core.abilities import Precision

LibraryOption = Annotated[
    Path | None,
    typer.Option(
        metavar="LIB",
        envvar="MOVIOLA_LIBRARY",
        help="Folder of the library. Default: in your data folder.",
    ),
]
PrecisionOption = Annotated[
    Precision | None,
    typer.Option(
        metavar="float32|bfloat16",
        help="What the model computes in. Default: what the device is made for.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
