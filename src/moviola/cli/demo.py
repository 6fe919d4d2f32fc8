"""Run `moviola demo`: the main job from end to end, offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from moviola.cli.console import progress


def run(
    *,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for the videos, library and contact sheet.")
    ] = Path("demo"),
    videos: Annotated[int, typer.Option(min=4, max=5000, help="Videos to render.")] = 100,
) -> None:
    """Render captioned videos, index them, search them, and measure how well that went."""
    from moviola.experiments.demo.run import run_demo

    with progress("demo") as line:
        run_demo(
            out,
            videos=videos,
            say=typer.echo,
            on_progress=lambda what, done, total: line.update(done=done, total=total, note=what),
        )
