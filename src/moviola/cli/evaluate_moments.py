"""Run `moviola evaluate-moments`: moments that were found against the true ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from moviola.cli.console import print_json
from moviola.cli.options import JsonOption, PerQueryOption


def run(
    *,
    predictions: Annotated[
        Path,
        typer.Option(
            metavar="PRED",
            help="Moments found: TVR's submission (.json), QVHighlights' lines, or lines of "
            "query_id and predictions (.jsonl).",
        ),
    ],
    truth: Annotated[
        Path,
        typer.Option(
            metavar="TRUTH",
            help="The true moments: TVR, QVHighlights, Charades-STA, ActivityNet, DiDeMo, or lines "
            "of query_id, query, video, start, end.",
        ),
    ],
    per_query: PerQueryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure moments that were found in a corpus of videos (VCMR, SVMR, VR), or inside one.

    R@1, 5, 10, 100 at IoU 0.5 and 0.7 as TVR's evaluation code defines them; for files in
    QVHighlights' layout also R1@IoU, mIoU, mAP, and HIT@1 and mAP of highlights.
    """
    from moviola.pipeline.evaluate.moments.files import evaluate_moment_files
    from moviola.pipeline.evaluate.moments.rows import write_rows

    result = evaluate_moment_files(predictions, truth)
    if per_query is not None:
        write_rows(result.corpus, per_query)
    if as_json:
        print_json(result.to_json())
    else:
        typer.echo(str(result))
