"""Provide `moviola experiment`: run the reference report's alignment experiments."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from moviola.cli.console import print_json, progress, say
from moviola.cli.options import JsonOption


def run(
    name: Annotated[str, typer.Argument(metavar="r01|…|r10|all", help="Which experiment.")],
    *,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="Folder with the stores texts and videos, and videos-after where videos were also "
            "read behind the LLaMA; or planted for generated pairs, the default.",
        ),
    ] = None,
    texts: Annotated[
        str | None, typer.Option(metavar="T", help="Rows of captions, instead of --data.")
    ] = None,
    videos: Annotated[str | None, typer.Option(metavar="V", help="Rows of videos.")] = None,
    videos_after: Annotated[
        str | None, typer.Option(metavar="V2", help="The same videos behind the LLaMA, for r10.")
    ] = None,
    caption_video: Annotated[
        str | None,
        typer.Option(
            metavar="INDEX", help="Row of its video for every caption, from 0: (texts,) .npy."
        ),
    ] = None,
    scale: Annotated[
        str, typer.Option(help="full as reported, for a GPU; or small: minutes on two cores.")
    ] = "full",
    xclip: Annotated[
        list[Path] | None,
        typer.Option(metavar="JSON", help="Result of evaluate --json for X-CLIP on these data."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = 0,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for curves, verdicts and report.html.")
    ] = Path("experiments"),
    as_json: JsonOption = False,
) -> None:
    """Run an alignment experiment as the report had it, and the remedy beside it.

    Writes the curves of the loss with that of the best constant answer, a verdict, and a page that
    collects X-CLIP's table, the pooling grid and the experiments.
    """
    from moviola.core import display_path
    from moviola.experiments.report.presets import parse_scale
    from moviola.experiments.report.run import MARKDOWN, PAGE, presets_named, run_and_write
    from moviola.experiments.report.sources import PLANTED, experiment_data

    presets, size = presets_named(name), parse_scale(scale)
    found = experiment_data(
        PLANTED if data is None and texts is None and videos is None else data,
        texts=texts,
        videos=videos,
        videos_after=videos_after,
        caption_video=caption_video,
        scale=size,
        seed=seed,
    )
    with progress("experiments") as line:
        collected = run_and_write(
            presets,
            found,
            size,
            out,
            seed=seed,
            xclip=xclip or (),
            on_step=lambda what, done, total: line.update(done=done, total=total, note=what),
            on_done=lambda each: say(f"{each.preset.name}: {each.verdict_sentences}"),
        )
    if as_json:
        print_json([each.to_json() for each in collected.experiments])
        return
    for said in collected.left_out:
        say(said)
    for written in (PAGE, MARKDOWN):
        typer.echo(display_path(out / written))
