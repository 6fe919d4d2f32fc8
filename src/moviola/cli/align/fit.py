"""Provide `moviola align fit`: fit a head on pairs of frozen embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from moviola.cli.align.options import IndexOption, PoolOption, TextsOption, VideosOption
from moviola.cli.console import print_json, say
from moviola.cli.options import JsonOption


def run(
    *,
    texts: TextsOption,
    videos: VideosOption,
    out: Annotated[Path, typer.Option(metavar="HEAD", help="Folder to write the head to.")],
    caption_video: IndexOption = None,
    method: Annotated[
        str, typer.Option(help="auto, or one of the methods that docs/align.md lists.")
    ] = "auto",
    pool: PoolOption = None,
    test_texts: Annotated[
        str | None, typer.Option(metavar="T", help="Captions of other videos, to measure it on.")
    ] = None,
    test_videos: Annotated[str | None, typer.Option(metavar="V", help="Those videos.")] = None,
    test_caption_video: IndexOption = None,
    seed: Annotated[int, typer.Option(help="Of what is held out and drawn.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Fit a head on pairs of frozen embeddings.

    The defaults need no tuning: what is chosen is chosen by how videos that were held out are
    found, and the card of the head says how well they are.
    """
    from moviola.pipeline.align.fitting import PairFiles, fit_files

    if (test_texts is None) != (test_videos is None):
        raise typer.BadParameter("a test needs both --test-texts and --test-videos")
    test = None
    if test_texts is not None and test_videos is not None:
        test = PairFiles(test_texts, test_videos, test_caption_video)
    head = fit_files(
        PairFiles(texts, videos, caption_video),
        out=out,
        method=method,
        pooling=pool,
        test=test,
        seed=seed,
    )
    record = head.fit
    if as_json:
        shown = {
            "method": record["method"],
            "val": {name: record["val"][name] for name in ("R@1", "MRR")},
            "chance_MRR": record["chance_MRR"],
            "seconds": record["seconds"],
            "space": head.space.digest,
            "warnings": record["warnings"],
        }
        if record["test"] is not None:
            shown["test"] = {name: record["test"]["t2v"][name][0] for name in ("R@1", "MRR")}
        print_json(shown)
        return
    for warning in record["warnings"]:
        say(f"warning: {warning}")
    for line in _summary(record):
        typer.echo(line)


def _summary(record: Mapping[str, Any]) -> list[str]:
    """Summarise the record of a fit in lines: the data, the result, the result on test pairs."""
    val, data, figures = record["val"], record["data"], record["figures"]
    intervals = val["intervals"]
    low, high = intervals["MRR"]
    lines = [
        (
            f"{record['method']}: {data['texts']:,} captions of {data['videos']:,} videos, "
            f"{record['seconds']:.1f} s"
        ),
        (
            f"held out: R@1 {val['R@1']:.1f}  R@5 {val['R@5']:.1f}  R@10 {val['R@10']:.1f}  "
            f"MdR {val['MdR']:.0f}  MRR {val['MRR']:.4f} [{low:.4f}, {high:.4f}]  "
            f"({val['n_queries']:,} captions, {val['n_gallery']:,} videos; chance MRR "
            f"{record['chance_MRR']:.4f})"
        ),
        f"loss {figures['loss']:.3f}, of the best constant {figures['constant_loss']:.3f}",
    ]
    test = record["test"]
    if test is not None:
        rows = test["t2v"]
        lines.append(
            f"test: R@1 {rows['R@1'][0]:.1f} [{rows['R@1'][1]:.1f}, {rows['R@1'][2]:.1f}]  "
            f"MRR {rows['MRR'][0]:.4f} [{rows['MRR'][1]:.4f}, {rows['MRR'][2]:.4f}]  "
            f"({test['n_queries']:,} captions, {test['n_gallery']:,} videos)"
        )
    return lines
