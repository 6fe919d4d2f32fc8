"""Run `moviola evaluate`: how well texts find their videos, and videos their texts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from moviola.cli import evaluate_moments, evaluate_run
from moviola.cli.console import say, show_evaluation
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
    *,
    similarity: Annotated[
        str | None, typer.Option(metavar="S", help="Matrix of scores, texts x videos (.npy).")
    ] = None,
    texts: Annotated[
        str | None,
        typer.Option(
            metavar="T",
            help="Vectors of texts: .npy, FILE.safetensors:TENSOR, a store, a folder of .npy.",
        ),
    ] = None,
    videos: Annotated[str | None, typer.Option(metavar="V", help="Vectors of videos.")] = None,
    relevance: Annotated[
        Path | None,
        typer.Option(metavar="QRELS", help="TREC qrels, or (m, 2) .npy of rows: text, video."),
    ] = None,
    caption_video: Annotated[
        str | None, typer.Option(metavar="INDEX", help=".npy: row of its video for every text.")
    ] = None,
    head: Annotated[str | None, typer.Option(help="Trained head to apply to both.")] = None,
    pool: Annotated[
        str | None,
        typer.Option(
            help="How several rows an item become one: mean, max, first, …, or module:attribute; "
            "none keeps them, hierarchical-32 keeps 32."
        ),
    ] = None,
    unaligned: Annotated[
        bool, typer.Option("--unaligned", help="Score two different spaces all the same.")
    ] = False,
    scorer: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="maxsim for all rows, two-stage,k=100 for those of the nearest mean vectors, "
            "either with codes=int8 or binary; or a model, for its own scorer.",
        ),
    ] = None,
    correct: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Show beside it what csls, dual-softmax, inverted-softmax, nnn, qb-norm, "
            "sinkhorn or module:attribute makes of the scores, against hubs; options behind "
            "commas, such as qb-norm,k=5. May be given again.",
        ),
    ] = None,
    bank: Annotated[
        str | None,
        typer.Option(
            metavar="TEXTS",
            help="What corrections learn from: vectors of training captions; with --similarity "
            "their scores, bank x videos.",
        ),
    ] = None,
    measure: MeasuresOption = None,
    ties: TiesOption = "expected",
    tie_tolerance: ToleranceOption = None,
    protocol: ProtocolOption = None,
    data: DataOption = None,
    out: ReportOption = None,
    as_json: JsonOption = False,
    run_file: Annotated[Path | None, typer.Option("--run", hidden=True)] = None,
    moments: Annotated[Path | None, typer.Option(hidden=True)] = None,
    truth: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Measure retrieval in both directions: R@1, 2, 5, 10, MdR, MnR, MRR and mAP.

    Give --similarity, or --texts with --videos. Row i of the texts belongs to row i of the videos
    unless ids, --caption-video or --relevance say otherwise. TREC runs and moments have commands
    of their own: `moviola evaluate-run` and `moviola evaluate-moments`.
    """
    given = {
        "--similarity": similarity,
        "--texts": texts,
        "--videos": videos,
        "--run": run_file,
        "--moments": moments,
        "--truth": truth,
        "--relevance": relevance,
        "--caption-video": caption_video,
        "--head": head,
        "--pool": pool,
        "--unaligned": unaligned or None,
        "--scorer": scorer,
        "--measure": measure or None,
        "--protocol": protocol,
        "--tie-tolerance": tie_tolerance,
        "--data": data,
        "--out": out,
        "--correct": correct or None,
        "--bank": bank,
    }
    source = _source({name for name, value in given.items() if value is not None})
    if moments is not None and truth is not None:
        say("moviola: --moments is a command of its own from now on: moviola evaluate-moments")
        evaluate_moments.run(predictions=moments, truth=truth, as_json=as_json)
        return
    if run_file is not None and relevance is not None:
        say("moviola: --run is a command of its own from now on: moviola evaluate-run")
        evaluate_run.run(
            run_file,
            relevance=relevance,
            measure=measure,
            ties=ties,
            tie_tolerance=tie_tolerance,
            protocol=protocol,
            data=data,
            out=out,
            as_json=as_json,
        )
        return
    from moviola.evaluate.measures import DEFAULT_MEASURES, parse_measures
    from moviola.pipeline.evaluate.evaluate import evaluate_vectors
    from moviola.pipeline.evaluate.evaluation import EvaluateOptions
    from moviola.pipeline.evaluate.given import evaluate_similarity
    from moviola.pipeline.evaluate.reporting import require_free

    if out is not None:
        require_free(out)
    asked = EvaluateOptions(
        ties=ties,
        tolerance=tie_tolerance,
        protocol=protocol,
        measures=parse_measures(measure) if measure else DEFAULT_MEASURES,
        correct=tuple(correct or ()),
        bank=bank,
    )
    if source == "--similarity":
        found = evaluate_similarity(str(similarity), relevance=relevance, asked=asked)
    else:
        found = evaluate_vectors(
            str(texts),
            str(videos),
            caption_video=caption_video,
            relevance=relevance,
            head=head,
            pooling=pool,
            unaligned=unaligned,
            scorer=scorer,
            keep_scores=out is not None,
            asked=asked,
        )
    show_evaluation(found, data=data, out=out, as_json=as_json)


_ANY = {"--measure", "--protocol", "--tie-tolerance", "--out", "--data"}
_CORRECTING = {"--correct", "--bank"}
#: What each kind of input needs beside itself, and what it may have.
_NEEDS: dict[str, tuple[set[str], set[str]]] = {
    "--similarity": (set(), {"--relevance", *_CORRECTING, *_ANY}),
    "--run": ({"--relevance"}, _ANY),
    "--moments": ({"--truth"}, set()),
    "--texts": (
        {"--videos"},
        {
            *("--relevance", "--caption-video", "--head", "--pool", "--unaligned", "--scorer"),
            *_CORRECTING,
            *_ANY,
        },
    ),
}


def _source(given: set[str]) -> str:
    """Find the one kind of input that was given, with all that it needs and nothing else."""
    sources = sorted(given & _NEEDS.keys())
    if len(sources) != 1:
        found = " and ".join(sources) or "none"
        raise typer.BadParameter(f"give one of --similarity, or --texts with --videos; got {found}")
    source = sources[0]
    needed, allowed = _NEEDS[source]
    if lacking := sorted(needed - given):
        raise typer.BadParameter(f"{source} needs {lacking[0]}")
    if strange := sorted(given - needed - allowed - {source}):
        raise typer.BadParameter(f"{strange[0]} says nothing about {source}; leave it out")
    if "--data" in given and "--out" not in given:
        raise typer.BadParameter("--data adds to a report; give --out as well")
    if {"--relevance", "--caption-video"} <= given:
        raise typer.BadParameter(
            "--relevance and --caption-video both say whose is whose; give one"
        )
    return source
