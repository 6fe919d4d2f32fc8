"""Run `moviola evaluate-run`: a TREC run against its relevance."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from moviola.cli.console import show_evaluation
from moviola.cli.options import (
    DataOption,
    JsonOption,
    MeasuresOption,
    ProtocolOption,
    ReportOption,
    TiesOption,
    ToleranceOption,
)


def run(
    run_file: Annotated[Path, typer.Argument(metavar="RUN", help="TREC run.")],
    *,
    relevance: Annotated[Path, typer.Option(metavar="QRELS", help="TREC qrels.")],
    measure: MeasuresOption = None,
    ties: TiesOption = "expected",
    tie_tolerance: ToleranceOption = None,
    protocol: ProtocolOption = None,
    data: DataOption = None,
    out: ReportOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure a TREC run in both directions, as trec_eval defines the measures.

    A relevant item that the run leaves out adds nothing to MRR and mAP; to MdR and MnR it counts
    as the last of the gallery.
    """
    from moviola.evaluate.measures import DEFAULT_MEASURES, parse_measures
    from moviola.pipeline.evaluate.evaluation import EvaluateOptions
    from moviola.pipeline.evaluate.given import evaluate_trec
    from moviola.pipeline.evaluate.reporting import require_free

    if data is not None and out is None:
        raise typer.BadParameter("--data adds to a report; give --out as well")
    if out is not None:
        require_free(out)
    asked = EvaluateOptions(
        ties=ties,
        tolerance=tie_tolerance,
        protocol=protocol,
        measures=parse_measures(measure) if measure else DEFAULT_MEASURES,
    )
    found = evaluate_trec(run_file, relevance=relevance, asked=asked)
    show_evaluation(found, data=data, out=out, as_json=as_json)
