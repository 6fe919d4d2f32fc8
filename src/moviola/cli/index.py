"""Run `moviola index`: folders of videos into a library."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moviola.cli.console import print_json, progress, say, say_failures
from moviola.cli.options import (
    DocumentInstructionOption,
    JsonOption,
    LibraryOption,
    PrecisionOption,
    QueryInstructionOption,
)

if TYPE_CHECKING:
    from moviola.cli.console import Progress
    from moviola.pipeline.encode.stages import StageSeconds
    from moviola.pipeline.index.report import ChannelCount, IndexStep


def run(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="DIR...",
            help="Folders of videos, or single files. None: those that the library knows.",
        ),
    ] = None,
    *,
    library: LibraryOption = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="Encoder; see `moviola models`. New libraries: the default that it marks. none: "
            "only what is said, written and named."
        ),
    ] = None,
    segment: Annotated[
        str | None,
        typer.Option(
            metavar="POLICY",
            help="How videos are cut: windows:6/3 (6 s every 3 s, the default), whole, shots, or "
            "shots:transnetv2.",
        ),
    ] = None,
    head: Annotated[
        str | None,
        typer.Option(help="Head of `moviola align fit` for the vectors of a new library."),
    ] = None,
    rows: Annotated[
        str | None,
        typer.Option(
            metavar="POOLING",
            help="Keep several rows a clip in a new library, searched by MaxSim: hierarchical-32 "
            "for 32, none for all.",
        ),
    ] = None,
    allow_codec: Annotated[
        list[str] | None,
        typer.Option(help="Also decode this codec, by FFmpeg's name; may be given again."),
    ] = None,
    channel: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Also read this channel, such as writing or speech; may be given again. "
            "subtitles and names are read anyway.",
        ),
    ] = None,
    no_channel: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Do not read this channel, now or later."),
    ] = None,
    passages: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also take in this table of passages: CSV, JSONL or Parquet with video, start, "
            "end and text.",
        ),
    ] = None,
    text_model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Compare passages by their meaning too, with this model of sentence-transformers; "
            "the library remembers it.",
        ),
    ] = None,
    retry: Annotated[
        bool, typer.Option("--retry", help="Try files again that failed before.")
    ] = False,
    rehash: Annotated[
        bool,
        typer.Option("--rehash", help="Read every file whole, whatever its size and times say."),
    ] = False,
    query_instruction: QueryInstructionOption = None,
    document_instruction: DocumentInstructionOption = None,
    precision: PrecisionOption = None,
    as_json: JsonOption = False,
) -> int:
    """Index folders of videos, so that they can be searched.

    Unchanged files are not read again; moved files are recognised; deleted ones are marked, and
    `moviola forget --missing` takes them out.
    """
    from moviola.core import ExitCode, display_path
    from moviola.core.paths import library_path
    from moviola.library import LibraryCard
    from moviola.pipeline.index.index import index
    from moviola.pipeline.models import tell_narrow_world
    from moviola.pipeline.passages.adding import describe_estimate

    place = library_path(library)
    with progress("indexing") as line:
        report = index(
            paths or (),
            library=place,
            model=model,
            segment=segment,
            head=head,
            rows=rows,
            retry=retry,
            rehash=rehash,
            query_instruction=query_instruction,
            document_instruction=document_instruction,
            precision=precision,
            extra_codecs=tuple(allow_codec or ()),
            on_progress=lambda step: _show(line, step),
            channels=tuple(channel or ()),
            without_channels=tuple(no_channel or ()),
            passages=passages,
            text_model=text_model,
            on_estimate=lambda found: say(describe_estimate(found)),
        )
    say_failures(report.failures)
    for warning in report.warnings:
        say(warning)
    if note := tell_narrow_world(LibraryCard.read(place).space):
        say(note)
    if as_json:
        print_json(
            {
                "ok": report.ok,
                "partial": report.partial,
                "failed": report.failed,
                "skipped": report.skipped,
                "clips": report.clips,
            }
            | ({"failed_before": len(report.failed_before)} if report.failed_before else {})
            | ({"seconds": _seconds(report.seconds)} if report.seconds else {})
            | {"channels": {each.channel: _counts(each) for each in report.channels}}
        )
    else:
        typer.echo(
            f"{report.inputs} inputs: {report.ok} ok, {report.partial} partial, "
            f"{report.failed} failed, {report.skipped} skipped; {report.clips} clips in "
            f"{display_path(place)}"
        )
        if report.seconds:
            typer.echo(_where_the_time_went(report.seconds))
        for each in report.channels:
            parts = [f"{each.passages} passages of {each.videos} videos"]
            parts += [f"{each.partial} partial"] if each.partial else []
            parts += [f"{each.failed} failed"] if each.failed else []
            typer.echo(f"{each.channel}: {', '.join(parts)}")
        if report.failed_before:
            typer.echo(
                f"{len(report.failed_before)} of those skipped failed before: `moviola failures` "
                "says why, and --retry tries them again"
            )
    failed = report.failed or any(each.failed for each in report.channels)
    return int(ExitCode.FAILED_ITEMS if failed else ExitCode.OK)


def _show(line: Progress, step: IndexStep) -> None:
    """Show how far a run has come, and first how long it may take."""
    if step.estimate is not None:
        say(f"about {_lasting(step.estimate)}, by what `moviola doctor --bench` measured here")
    seen = f"{step.clips} clips, {step.failed} failed"
    note = "reading channels" if step.channels else seen
    line.update(done=step.done, total=step.total, note=note)


def _lasting(seconds: float) -> str:
    """Write a duration in the unit that suits it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _seconds(seconds: StageSeconds) -> dict[str, float | int | str]:
    """List the stages of a run for --json."""
    found = {
        name: round(getattr(seconds, name), 3) for name in ("decode", "wait", "model", "write")
    }
    return {**found, "decoders": seconds.decoders, "bound": seconds.bound}


def _where_the_time_went(seconds: StageSeconds) -> str:
    """Tell in one line what the run spent its time on."""
    return (
        f"decoding {seconds.decode:.1f} s in {seconds.decoders} processes, of which the model "
        f"waited {seconds.wait:.1f} s; model {seconds.model:.1f} s, writing {seconds.write:.1f} s: "
        f"bound by {seconds.bound}"
    )


def _counts(channel: ChannelCount) -> dict[str, int]:
    """Return the counts of a channel for JSON."""
    counts = asdict(channel)
    del counts["channel"]
    return counts
