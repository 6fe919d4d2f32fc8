"""Provide `moviola align fit`: fit a head on pairs of frozen embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from moviola.cli.align.options import IndexOption, PoolOption
from moviola.cli.console import print_json, say
from moviola.cli.options import JsonOption

_TRAINING = "Training (linear, siglip, fusemix, residual, mlp, transformer)"


def run(
    *,
    texts: Annotated[
        str | None,
        typer.Option(
            metavar="T",
            help="Vectors of captions: .npy, FILE.safetensors:TENSOR, a store, a folder.",
        ),
    ] = None,
    videos: Annotated[
        str | None, typer.Option(metavar="V", help="Vectors of videos, likewise.")
    ] = None,
    out: Annotated[Path, typer.Option(metavar="HEAD", help="Folder to write the head to.")],
    caption_video: IndexOption = None,
    method: Annotated[
        str | None,
        typer.Option(help="auto, a method of docs/align.md, or module:attribute.  [default: auto]"),
    ] = None,
    pool: PoolOption = None,
    test_texts: Annotated[
        str | None, typer.Option(metavar="T", help="Captions of other videos, to measure it on.")
    ] = None,
    test_videos: Annotated[str | None, typer.Option(metavar="V", help="Those videos.")] = None,
    test_caption_video: IndexOption = None,
    seed: Annotated[int | None, typer.Option(help="Of what is held out and drawn.")] = None,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Settings in JSON or TOML, such as HEAD/run.json."),
    ] = None,
    layers: Annotated[
        str | None,
        typer.Option(
            metavar="N,N,...",
            help="Widths of an mlp's layers; how many layers a transformer has.",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    heads: Annotated[
        int | None, typer.Option(help="Of a transformer's attention.", rich_help_panel=_TRAINING)
    ] = None,
    loss: Annotated[
        str | None,
        typer.Option(
            help="infonce, multi-positive, siglip, triplet, mse, contrastive, module:attribute.",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    lr: Annotated[
        float | None, typer.Option(help="Learning rate at its highest.", rich_help_panel=_TRAINING)
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="At most.", rich_help_panel=_TRAINING)] = None,
    batch: Annotated[
        int | None,
        typer.Option(help="Videos a step; pairs under mse.", rich_help_panel=_TRAINING),
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(help="float32, float64, float16, bfloat16.", rich_help_panel=_TRAINING),
    ] = None,
    logger: Annotated[
        str | None,
        typer.Option(
            help="tensorboard or wandb, beside metrics.csv in HEAD.run.", rich_help_panel=_TRAINING
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on with the training in HEAD.run.", rich_help_panel=_TRAINING
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Fit a head on pairs of frozen embeddings.

    The defaults need no tuning: what is chosen is chosen by how videos that were held out are
    found, and the card of the head says how well they are. HEAD/run.json repeats the run.
    """
    from moviola.pipeline.align.fitting import fit_files, read_config

    if layers is not None and not all(each.strip().isdecimal() for each in layers.split(",")):
        raise typer.BadParameter(f"--layers is numbers such as 4096,2048, not {layers!r}")
    settings = read_config(
        config,
        out=out,
        resume=resume,
        changes={
            "texts": texts,
            "videos": videos,
            "caption_video": caption_video,
            "method": method,
            "pool": pool,
            "test_texts": test_texts,
            "test_videos": test_videos,
            "test_caption_video": test_caption_video,
            "seed": seed,
            "layers": None if layers is None else [int(each) for each in layers.split(",")],
            "heads": heads,
            "loss": loss,
            "lr": lr,
            "epochs": epochs,
            "batch": batch,
            "precision": precision,
            "logger": logger,
        },
    )
    head = fit_files(settings, out=out, resume=resume)
    record = head.fit
    if as_json:
        print_json(_object(record) | {"space": head.space.digest})
        return
    for warning in record["warnings"]:
        say(f"warning: {warning}")
    for line in _summary(record):
        typer.echo(line)


def _object(record: Mapping[str, Any]) -> dict[str, Any]:
    """Pick the results of a fit as JSON values."""
    shown = {
        "method": record["method"],
        "val": {name: record["val"][name] for name in ("R@1", "MRR")},
        "chance_MRR": record["chance_MRR"],
        "seconds": record["seconds"],
        "protocol": record["protocol"],
        "warnings": record["warnings"],
    }
    if record["test"] is not None:
        shown["test"] = {name: record["test"]["t2v"][name][0] for name in ("R@1", "MRR")}
    return shown


def _summary(record: Mapping[str, Any]) -> list[str]:
    """Summarise the record of a fit in lines: the data, the result, the result on test pairs."""
    val, data, figures = record["val"], record["data"], record["figures"]
    low, high = val["intervals"]["MRR"]
    lines = [
        (
            f"{record['method']}: {data['texts']:,} captions of {data['videos']:,} videos, "
            f"{record['seconds']:.1f} s"
        ),
        str(record["protocol"]),
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
