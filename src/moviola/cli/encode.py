"""`moviola encode`: videos or captions into a store of embeddings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from moviola.cli.console import print_json, progress, say_failures
from moviola.cli.options import (
    DocumentInstructionOption,
    JsonOption,
    PrecisionOption,
    QueryInstructionOption,
)


def run(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            metavar="INPUT...",
            help="Videos or folders of them; or one table of captions (.csv .jsonl .json "
            ".parquet .txt).",
        ),
    ],
    *,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write.")],
    model: Annotated[
        str | None,
        typer.Option(help="Encoder; see `moviola models`. Default: the one that it marks."),
    ] = None,
    segment: Annotated[
        str,
        typer.Option(
            metavar="POLICY", help="whole, windows:LENGTH/STEP, shots, or shots:transnetv2."
        ),
    ] = "whole",
    readout: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="How a language model is read, such as content, one-word or echo; may be given "
            "again.",
        ),
    ] = None,
    layers: Annotated[
        str, typer.Option(help="Layers of a language model: all, last, or such as 0,8,16-24.")
    ] = "",
    pool: Annotated[
        list[str] | None,
        typer.Option(
            help="Pooling of rows: none, mean, max, first, …, or hierarchical-32 for 32; may be "
            "given again. Default: as the model does."
        ),
    ] = None,
    layout: Annotated[
        Literal["store", "npy"], typer.Option(help="A sharded store, or one .npy an item.")
    ] = "store",
    dtype: Annotated[
        Literal["float16", "float32"], typer.Option(help="Of the rows on disk.")
    ] = "float16",
    query_instruction: QueryInstructionOption = None,
    document_instruction: DocumentInstructionOption = None,
    precision: PrecisionOption = None,
    as_json: JsonOption = False,
) -> int:
    """Encode videos or captions, once, into a store that everything else reads.

    With several readouts, layers or poolings, each is written to a sub-folder of its name, from
    one pass. A run that was cut short goes on where it stopped when it is run again, and what is
    finished is added to: items that are there already, by their names, are skipped.
    """
    from moviola.core import ExitCode, display_path
    from moviola.datasets.annotations.captions import is_caption_table, read_captions
    from moviola.pipeline.encode.encode import encode_captions, encode_videos
    from moviola.pipeline.models import DEFAULT_MODEL, instructed_name

    name = instructed_name(model or DEFAULT_MODEL, query_instruction, document_instruction)
    readouts, poolings = tuple(readout or ()), tuple(pool or ())
    with progress("encoding") as line:
        if len(inputs) == 1 and is_caption_table(inputs[0]):
            report = encode_captions(
                read_captions(inputs[0]),
                out=out,
                model=name,
                readouts=readouts,
                layers=layers,
                poolings=poolings,
                layout=layout,
                dtype=dtype,
                precision=precision,
                on_progress=lambda step: line.update(done=step.done, total=step.total, note=""),
            )
        else:
            report = encode_videos(
                inputs,
                out=out,
                model=name,
                segment=segment,
                readouts=readouts,
                layers=layers,
                poolings=poolings,
                layout=layout,
                dtype=dtype,
                precision=precision,
                on_progress=lambda step: line.update(
                    done=step.done, total=step.total, note=f"{step.failed} failed"
                ),
            )
    say_failures(report.failures)
    if as_json:
        print_json(
            {
                "items": report.items,
                "skipped": len(report.skipped),
                "failed": len(report.failures),
                "written": [str(path) for path in report.written],
            }
        )
    else:
        for path in report.written:
            typer.echo(display_path(path))
        typer.echo(f"{report.items} items encoded, {len(report.failures)} failed")
        if report.skipped:
            some = ", ".join([*report.skipped[:3], *(["…"] if len(report.skipped) > 3 else [])])
            typer.echo(f"skipped, as they were there already: {len(report.skipped)} ({some})")
    return int(ExitCode.FAILED_ITEMS if report.failures else ExitCode.OK)
