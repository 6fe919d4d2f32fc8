"""Run `moviola evaluate-moments`: moments found inside videos against the true ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from moviola.cli.console import print_json
from moviola.cli.options import JsonOption


def run(
    *,
    predictions: Annotated[
        Path, typer.Option(metavar="PRED", help="Moments found (QVHighlights .jsonl).")
    ],
    truth: Annotated[Path, typer.Option(metavar="TRUTH", help="The true moments.")],
    as_json: JsonOption = False,
) -> None:
    """Measure moments found inside videos: R1 at IoU 0.5 and 0.7, mIoU and mAP."""
    from moviola.pipeline.evaluate.moments import as_object, as_text, evaluate_moment_files

    result = evaluate_moment_files(predictions, truth)
    if as_json:
        print_json(as_object(result))
    else:
        typer.echo(as_text(result))
