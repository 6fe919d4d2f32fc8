"""Run `moviola plan`: write down the units of work of a run on many machines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from moviola.cli.console import print_json
from moviola.cli.options import JsonOption, PrecisionOption


def run(
    paths: Annotated[
        list[Path], typer.Argument(metavar="VIDEOS...", help="Folders of videos, or single files.")
    ],
    *,
    out: Annotated[
        str,
        typer.Option(metavar="RUN", help="Folder of the run, or a URL such as s3://bucket/run."),
    ],
    shards: Annotated[int, typer.Option(help="Units of work, at most.")] = 512,
    model: Annotated[
        str | None, typer.Option(help="Encoder; see `moviola models`, which marks the default.")
    ] = None,
    segment: Annotated[
        str | None, typer.Option(metavar="POLICY", help="How videos are cut; see `moviola index`.")
    ] = None,
    head: Annotated[
        str | None, typer.Option(help="Head of `moviola align fit` for the vectors.")
    ] = None,
    rows: Annotated[
        str | None,
        typer.Option(metavar="POOLING", help="Keep several rows a clip; see `moviola index`."),
    ] = None,
    allow_codec: Annotated[
        list[str] | None,
        typer.Option(help="Also decode this codec, by FFmpeg's name; may be given again."),
    ] = None,
    channel: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Also read this channel; may be given again."),
    ] = None,
    no_channel: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Do not read this channel.")
    ] = None,
    precision: PrecisionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Plan to index folders of videos with many processes or machines.

    Then run `moviola work RUN` anywhere, as often as you like, and `moviola commit RUN`.
    """
    from moviola.engine.planning import plan_run
    from moviola.engine.run_plan import RunSettings
    from moviola.pipeline.index.opening import DEFAULT_SEGMENT
    from moviola.pipeline.models import DEFAULT_MODEL

    settings = RunSettings(
        model=model or DEFAULT_MODEL,
        segment=segment or DEFAULT_SEGMENT,
        head=head,
        rows=rows or "",
        precision=precision,
        channels=tuple(channel or ()),
        without_channels=tuple(no_channel or ()),
        codecs=tuple(allow_codec or ()),
    )
    plan = plan_run(paths, out, settings, shards=shards)
    if as_json:
        unreadable = len(plan.failures)
        print_json({"videos": plan.videos, "shards": len(plan.shards), "unreadable": unreadable})
        return
    typer.echo(f"{plan.videos} videos in {len(plan.shards)} shards; next: moviola work {out}")
