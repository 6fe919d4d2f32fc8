"""Provide `moviola finetune`: train two towers on videos, or a chat model on texts alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from moviola.cli.console import print_json, progress, say
from moviola.cli.options import JsonOption

if TYPE_CHECKING:
    from moviola.finetune.training.history import Epoch

_TRAINING = "Training"


def run(
    data: Annotated[
        Path,
        typer.Argument(
            help="A table of captions, or a folder with captions or in MSR-VTT's layout; with "
            "--text-only a table with the columns caption and summary."
        ),
    ],
    *,
    model: Annotated[
        str,
        typer.Option(
            help="CLIP, SigLIP, SigLIP 2, MetaCLIP 2 or PE-Core: a name, or FAMILY:FOLDER; with "
            "--text-only a chat model, such as qwen3-vl:FOLDER."
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write the model to.")],
    text_only: Annotated[
        bool,
        typer.Option(
            "--text-only",
            help="Train the language model of a chat model by captions and their summaries.",
        ),
    ] = False,
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
    rank: Annotated[
        int | None,
        typer.Option(
            help="Of the adapter. Default: 16, or 64 for texts.", rich_help_panel=_TRAINING
        ),
    ] = None,
    frames: Annotated[int, typer.Option(help="Of a clip.", rich_help_panel=_TRAINING)] = 8,
    captions: Annotated[
        int, typer.Option(help="Of a clip in each step at most.", rich_help_panel=_TRAINING)
    ] = 1,
    epochs: Annotated[
        int | None,
        typer.Option(
            help="Passes over the data. Default: 5, or 1 for texts.", rich_help_panel=_TRAINING
        ),
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option(
            help="Clips, or pairs, a step and device. Default: 64, or 288 for texts.",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    chunk: Annotated[
        int,
        typer.Option(
            help="Clips, or pairs, in memory at a time; the gradients are those of the batch.",
            rich_help_panel=_TRAINING,
        ),
    ] = 16,
    lr: Annotated[
        float | None,
        typer.Option(
            help="Learning rate at its highest. Default: 2e-4 for an adapter (1e-4 for texts), "
            "1e-5 for all weights.",
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
    """Fine-tune a two-tower model on videos with captions, or a chat model on texts alone.

    Frames are decoded once, into DIR.run. A tenth of the videos, or of the captions, is held out,
    and what is reported is measured on them. `--model FAMILY:DIR` then takes the result wherever a
    model is taken.
    """
    shared: dict[str, Any] = {
        name: value
        for name, value in (("epochs", epochs), ("batch", batch), ("rate", lr))
        if value is not None
    }
    shared |= {} if rank is None else {"rank": rank, "alpha": 2 * rank}
    shared |= {"chunk": chunk, "seed": seed}
    shared["precision"] = "bf16-mixed" if precision == "bfloat16" else "32-true"
    if text_only:
        if method != "lora" or devices != 1 or dataset is not None:
            raise typer.BadParameter(
                "--text-only trains an adapter on one device from a table; leave --method, "
                "--devices and --dataset out"
            )
        return _finetune_texts(data, model, out, shared, resume=resume, as_json=as_json)
    from moviola.core import ExitCode, display_path
    from moviola.finetune.two_tower.config import FinetuneConfig
    from moviola.finetune.two_tower.train import finetune
    from moviola.plugins import guess_dataset, load_dataset

    config = FinetuneConfig(
        method=method,
        frames=frames,
        captions=captions,
        devices=devices,
        strategy=strategy,
        **shared,
    )
    with progress("decoding") as line:
        report = finetune(
            load_dataset(dataset or guess_dataset(data), data, split),
            model,
            out,
            config,
            resume=resume,
            on_epoch=_say_epoch,
            on_decoded=lambda done, total: line.update(done=done, total=total, note=""),
        )
    for path, code, message in report.failures:
        say(f"{display_path(path)}: {code}: {message}")
    counts = {"trained": report.trained, "held_out": report.held_out}
    counts["failed"] = len(report.failures)
    _print_report("clips", report.model, counts, report.history, asdict(config), as_json=as_json)
    return int(ExitCode.FAILED_ITEMS if report.failures else ExitCode.OK)


def _finetune_texts(
    pairs: Path, model: str, out: Path, settings: dict[str, Any], *, resume: bool, as_json: bool
) -> int:
    from moviola.core import ExitCode
    from moviola.finetune.text_only.config import TextOnlyConfig
    from moviola.finetune.text_only.train import finetune_texts

    config = TextOnlyConfig(**settings)
    report = finetune_texts(pairs, model, out, config, resume=resume, on_epoch=_say_epoch)
    counts = {"trained": report.trained, "held_out": report.held_out}
    _print_report("pairs", report.model, counts, report.history, asdict(config), as_json=as_json)
    return int(ExitCode.OK)


def _say_epoch(epoch: Epoch) -> None:
    loss = "" if epoch.loss is None else f"loss {epoch.loss:.3f}, "
    say(f"epoch {epoch.number}: {loss}held out R@1 {epoch.measures['R@1']:.1f}")


def _print_report(
    things: str,
    model: str,
    counts: dict[str, int],
    history: Sequence[Epoch],
    config: dict[str, Any],
    *,
    as_json: bool,
) -> None:
    """Print what was trained, and retrieval before and after."""
    from moviola.core import display_path

    first, last = history[0].measures, history[-1].measures
    if as_json:
        print_json(
            {
                "model": model,
                **counts,
                "losses": [epoch.loss for epoch in history[1:]],
                "before": first,
                "after": last,
                "config": config,
            }
        )
        return
    typer.echo(
        f"{counts['trained']:,} {things}, {counts['held_out']:,} held out: R@1 "
        f"{first['R@1']:.1f} before, {last['R@1']:.1f} after"
    )
    typer.echo(f"--model {display_path(model)}")
