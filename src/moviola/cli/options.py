"""Spell the options that several commands take once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

LibraryOption = Annotated[
    Path | None,
    typer.Option(
        metavar="LIB",
        envvar="MOVIOLA_LIBRARY",
        help="Folder of the library. Default: in your data folder.",
    ),
]
LibraryArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="LIB",
        envvar="MOVIOLA_LIBRARY",
        help="Folder of the library. Default: in your data folder.",
    ),
]
PrecisionOption = Annotated[
    Literal["float32", "bfloat16"] | None,  # as `core.abilities.Precision`, without its imports
    typer.Option(
        metavar="float32|bfloat16",
        help="What the model computes in. Default: what the device is made for.",
    ),
]
QueryInstructionOption = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT",
        help="What a model that takes instructions is told of texts; a library remembers it.",
    ),
]
DocumentInstructionOption = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT",
        help="What such a model is told of videos; a library remembers it.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
MeasuresOption = Annotated[
    list[str] | None,
    typer.Option(
        "--measure",
        metavar="NAME",
        help="R@K, Recall@K, nDCG@K, nDCG, MdR, MnR, MRR, mAP, SumR, GeoR, or your own as "
        "module:attribute; may be given again. Default: R@1, 2, 5, 10, MdR, MnR, MRR and mAP.",
    ),
]
TiesOption = Annotated[
    Literal["expected", "optimistic", "pessimistic"], typer.Option(help="How ties are read.")
]
ToleranceOption = Annotated[
    float | None,
    typer.Option(
        "--tie-tolerance",
        metavar="X",
        help="Share of a row's largest score within which two scores are tied. Default: 5e-7 "
        "for float32, 0 for float64 and runs.",
    ),
]
ProtocolOption = Annotated[
    str | None,
    typer.Option("--protocol", metavar="NAME", help="Published protocol to check against."),
]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="PATH",
        help="The data set's folder or table: words, groups and frames for the report.",
    ),
]
ReportOption = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Also write report.html and data there."),
]
PerQueryOption = Annotated[
    Path | None,
    typer.Option(
        "--per-query", metavar="FILE", help="Also write a row a query there: .parquet or .csv."
    ),
]
