"""Provide `moviola align sweep`: measure heads of several widths."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from moviola.cli.align.options import IndexOption, PoolOption, TextsOption, VideosOption
from moviola.cli.console import print_json, print_table
from moviola.cli.options import JsonOption


def run(
    *,
    texts: TextsOption,
    videos: VideosOption,
    caption_video: IndexOption = None,
    width: Annotated[
        str, typer.Option(metavar="N,N,...", help="Widths of the shared space to try.")
    ] = "16,32,64,128,256,512",
    pool: PoolOption = None,
    seed: Annotated[int, typer.Option(help="Of what is held out and drawn.")] = 0,
    out: Annotated[
        Path | None, typer.Option(metavar="HTML", help="Also write a page with table and plot.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure R@1 and MRR of held-out videos for several widths of the shared space."""
    from moviola.analysis.width_sweep import sweep_files, write_sweep
    from moviola.pipeline.align.fitting import PairFiles

    if not all(each.strip().isdecimal() and int(each) for each in width.split(",")):
        raise typer.BadParameter(f"--width is numbers such as 64,128,256, not {width!r}")
    wanted = sorted({int(each) for each in width.split(",")})
    found = sweep_files(PairFiles(texts, videos, caption_video), wanted, pooling=pool, seed=seed)
    if out is not None:
        write_sweep(found, out)
    if as_json:
        print_json([asdict(each) for each in found])
        return
    print_table(
        ("width", "R@1", "95 % interval", "MRR", "95 % interval"),
        [
            (
                str(each.width),
                f"{each.r1:.1f}",
                f"{each.r1_interval[0]:.1f} to {each.r1_interval[1]:.1f}",
                f"{each.mrr:.4f}",
                f"{each.interval[0]:.4f} to {each.interval[1]:.4f}",
            )
            for each in found
        ],
    )
