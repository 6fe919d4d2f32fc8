"""`moviola evaluate`: how well texts find their videos, and videos their texts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from moviola.cli.console import print_json
from moviola.cli.options import JsonOption


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
    run_file: Annotated[
        Path | None, typer.Option("--run", metavar="RUN", help="TREC run; needs --relevance.")
    ] = None,
    moments: Annotated[
        Path | None,
        typer.Option(metavar="PRED", help="Moments found (QVHighlights .jsonl); needs --truth."),
    ] = None,
    truth: Annotated[Path | None, typer.Option(metavar="TRUTH", help="The true moments.")] = None,
    relevance: Annotated[
        Path | None,
        typer.Option(metavar="QRELS", help="TREC qrels, or (m, 2) .npy of rows: text, video."),
    ] = None,
    caption_video: Annotated[
        str | None, typer.Option(metavar="INDEX", help=".npy: row of its video for every text.")
    ] = None,
    head: Annotated[str | None, typer.Option(help="Trained head to apply to both.")] = None,
    pool: Annotated[
        str | None, typer.Option(help="How several rows an item become one: mean, max, first, ….")
    ] = None,
    unaligned: Annotated[
        bool, typer.Option("--unaligned", help="Score two different spaces all the same.")
    ] = False,
    scorer: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Score by this model's own scorer; see `encode`."),
    ] = None,
    protocol: Annotated[
        str | None, typer.Option(metavar="NAME", help="Published protocol to check against.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="The data set's folder or table: words, groups and frames for the report.",
        ),
    ] = None,
    ties: Annotated[
        Literal["expected", "optimistic", "pessimistic"], typer.Option(help="How ties are read.")
    ] = "expected",
    tie_tolerance: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            help="Share of a row's largest score within which two scores are tied. Default: 5e-7 "
            "for float32, 0 for float64 and runs.",
        ),
    ] = None,
    correct: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Show beside it what csls, dual-softmax, inverted-softmax, nnn, qb-norm or "
            "sinkhorn makes of the scores, against hubs. May be given again.",
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
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Also write report.html and data there.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure retrieval in both directions: R@1, 2, 5, 10, MdR, MnR, MRR and mAP.

    Give one of --similarity, --texts with --videos, --run, or --moments. Row i of the texts
    belongs to row i of the videos unless ids, --caption-video or --relevance say otherwise.
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
        "--protocol": protocol,
        "--tie-tolerance": tie_tolerance,
        "--data": data,
        "--out": out,
        "--correct": correct or None,
        "--bank": bank,
    }
    source = _source({name for name, value in given.items() if value is not None})
    if source == "--moments" and moments is not None and truth is not None:
        _show_moments(moments, truth, as_json=as_json)
        return
    from moviola.evaluate import corrected_table
    from moviola.pipeline.evaluate import evaluate as evaluating
    from moviola.pipeline.evaluate.annotations import annotated
    from moviola.pipeline.evaluate.evaluation import as_object
    from moviola.pipeline.evaluate.options import EvaluateOptions
    from moviola.pipeline.evaluate.reporting import require_free, write_report

    if out is not None:
        require_free(out)
    asked = EvaluateOptions(
        ties=ties,
        tolerance=tie_tolerance,
        protocol=protocol,
        correct=tuple(correct or ()),
        bank=bank,
    )
    if similarity is not None:
        found = evaluating.evaluate_similarity(similarity, relevance=relevance, asked=asked)
    elif run_file is not None and relevance is not None:
        found = evaluating.evaluate_trec(run_file, relevance=relevance, asked=asked)
    else:
        found = evaluating.evaluate_vectors(
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
    if out is not None:
        groups = {}
        if data is not None:
            found, groups = annotated(found, data)
        write_report(found, out, groups=groups)
    if as_json:
        print_json(as_object(found))
    else:
        typer.echo(str(found.result))
        if found.corrected:
            typer.echo("\n" + corrected_table(found.corrected))


_ANY = {"--protocol", "--tie-tolerance", "--out", "--data"}
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
    """The one kind of input that was given, with all that it needs and nothing else."""
    sources = sorted(given & _NEEDS.keys())
    if len(sources) != 1:
        found = " and ".join(sources) or "none"
        raise typer.BadParameter(
            f"give one of --similarity, --texts with --videos, --run, or --moments; got {found}"
        )
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


def _show_moments(found: Path, truth: Path, *, as_json: bool) -> None:
    from moviola.pipeline.evaluate.moments import as_object, as_text, evaluate_moment_files

    result = evaluate_moment_files(found, truth)
    if as_json:
        print_json(as_object(result))
    else:
        typer.echo(as_text(result))
