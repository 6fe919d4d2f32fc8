"""Provide `moviola finetune`: train a two-tower model on videos with captions."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from moviola.cli.console import print_json, progress, say
from moviola.cli.options import JsonOption

_TRAINING = "Training"


def run(
    data: Annotated[
        Path,
        typer.Argument(
            help="A table of captions, or a folder with captions or in MSR-VTT's layout."
        ),
    ],
    *,
    model: Annotated[
        str, typer.Option(help="CLIP, SigLIP, SigLIP 2 or MetaCLIP 2: a name, or two-tower:FOLDER.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write the model to.")],
    dataset: Annotated[
        str | None, typer.Option(help="Name of the data set's loader. Default: by the layout.")
    ] = None,
    split: Annotated[str, typer.Option(help="Which part of it.")] = "train",
    method: Annotated[
        Literal["lora", "full"],
        typer.Option(
            help="An adapter on frozen towers, or all weights.", rich_help_panel=_TRAINING
        ),
    ] = "lora",
    rank: Annotated[int, typer.Option(help="Of the adapter.", rich_help_panel=_TRAINING)] = 16,
    frames: Annotated[int, typer.Option(help="Of a clip.", rich_help_panel=_TRAINING)] = 8,
    captions: Annotated[
        int, typer.Option(help="Of a clip in each step at most.", rich_help_panel=_TRAINING)
    ] = 1,
    epochs: Annotated[
        int, typer.Option(help="Passes over the clips.", rich_help_panel=_TRAINING)
    ] = 5,
    batch: Annotated[
        int, typer.Option(help="Clips a step and device.", rich_help_panel=_TRAINING)
    ] = 64,
    chunk: Annotated[
        int,
        typer.Option(
            help="Clips in memory at a time; the gradients are those of the batch.",
            rich_help_panel=_TRAINING,
        ),
    ] = 16,
    lr: Annotated[
        float | None,
        typer.Option(
            help="Learning rate at its highest. Default: 2e-4 for an adapter, 1e-5 for all.",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    precision: Annotated[
        Literal["float32", "bfloat16"],
        typer.Option(help="Of matrix products; weights stay float32.", rich_help_panel=_TRAINING),
    ] = "float32",
    devices: Annotated[
        int, typer.Option(help="GPUs, or processes on a CPU.", rich_help_panel=_TRAINING)
    ] = 1,
    strategy: Annotated[
        str, typer.Option(help="Lightning's, such as ddp.", rich_help_panel=_TRAINING)
    ] = "auto",
    seed: Annotated[
        int, typer.Option(help="Of what is held out and drawn.", rich_help_panel=_TRAINING)
    ] = 0,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on after the last epoch in DIR.run.", rich_help_panel=_TRAINING
        ),
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """Fine-tune a two-tower model on videos with captions.

    Frames are decoded once, into DIR.run. A tenth of the videos is held out, and what is reported
    is measured on them. `--model two-tower:DIR` then takes the result wherever a model is taken.
    """
    from moviola.core import ExitCode, display_path
    from moviola.finetune.config import FinetuneConfig
    from moviola.finetune.history import Epoch
    from moviola.finetune.train import finetune
    from moviola.plugins import guess_dataset, load_dataset

    config = FinetuneConfig(
        method=method,
        rank=rank,
        alpha=2 * rank,
        frames=frames,
        captions=captions,
        epochs=epochs,
        batch=batch,
        chunk=chunk,
        rate=lr,
        precision="bf16-mixed" if precision == "bfloat16" else "32-true",
        devices=devices,
        strategy=strategy,
        seed=seed,
    )

    def tell(epoch: Epoch) -> None:
        loss = "" if epoch.loss is None else f"loss {epoch.loss:.3f}, "
        say(f"epoch {epoch.number}: {loss}held out R@1 {epoch.measures['R@1']:.1f}")

    with progress("decoding") as line:
        report = finetune(
            load_dataset(dataset or guess_dataset(data), data, split),
            model,
            out,
            config,
            resume=resume,
            on_epoch=tell,
            on_decoded=lambda done, total: line.update(done=done, total=total, note=""),
        )
    for path, code, message in report.failures:
        say(f"{display_path(path)}: {code}: {message}")
    first, last = report.history[0], report.history[-1]
    if as_json:
        print_json(
            {
                "model": report.model,
                "trained": report.trained,
                "held_out": report.held_out,
                "failed": len(report.failures),
                "before": first.measures,
                "after": last.measures,
                "config": asdict(config),
            }
        )
    else:
        typer.echo(
            f"{report.trained:,} clips, {report.held_out:,} held out: R@1 "
            f"{first.measures['R@1']:.1f} before, {last.measures['R@1']:.1f} after"
        )
        typer.echo(f"--model {display_path(report.model)}")
    return int(ExitCode.FAILED_ITEMS if report.failures else ExitCode.OK)
