"""Provide `moviola layer-sweep`: rank the layers of a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from moviola.cli.console import print_json, print_table, progress
from moviola.cli.options import JsonOption


def run(
    *,
    videos: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Stores of videos, one a layer (encode --layers)."),
    ] = None,
    texts: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Stores of their captions.")
    ] = None,
    pairs: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A table with the columns caption and summary, in place of both: no video.",
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Whose layers read them, such as qwen3-vl:FOLDER.")
    ] = None,
    caption_video: Annotated[
        str | None,
        typer.Option(
            metavar="INDEX", help="Row of its video for every caption, from 0: (texts,) .npy."
        ),
    ] = None,
    pool: Annotated[
        str | None, typer.Option(help="How several rows of an item become one, such as mean.")
    ] = None,
    cross: Annotated[
        bool, typer.Option("--cross", help="Every layer of the texts with every one of the videos.")
    ] = False,
    neighbours: Annotated[
        int, typer.Option(min=1, help="Nearest neighbours that are compared.")
    ] = 10,
    seed: Annotated[int, typer.Option(help="Of which videos are held out.")] = 0,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for the table and the page.")
    ] = Path("layer-sweep"),
    as_json: JsonOption = False,
) -> None:
    """Rank layers: by their geometry, without labels, and by the MRR on held-out videos.

    Give it training or validation videos: what is chosen on a test has seen the test. With --pairs
    and --model, layers are ranked by how summaries find the captions that they sum up, without a
    video.
    """
    if pairs is not None and model is not None and videos is None and texts is None:
        _rank_by_texts(model, pairs, seed, as_json=as_json)
        return
    if videos is None or texts is None or pairs is not None or model is not None:
        raise typer.BadParameter("give --videos and --texts, or --pairs and --model")
    from moviola.analysis.layer_page import brief_rows, write_sweep
    from moviola.analysis.layer_stores import clip_layers, text_layers
    from moviola.analysis.layer_sweep import sweep_layers
    from moviola.core import display_path

    with progress("layer sweep") as line:
        sweep = sweep_layers(
            text_layers(texts, pool),
            clip_layers(videos, pool),
            caption_video=caption_video,
            cross=cross,
            k=neighbours,
            seed=seed,
            on_progress=lambda done, total: line.update(done=done, total=total, note="pairs"),
        )
    written = write_sweep(sweep, out)
    if as_json:
        print_json(sweep.to_json() | {"written": [str(path) for path in written]})
        return
    head, *rows = brief_rows(sweep)
    print_table(head, rows)
    for note in sweep.notes:
        typer.echo(note)
    for path in written:
        typer.echo(display_path(path))


def _rank_by_texts(model: str, pairs: Path, seed: int, *, as_json: bool) -> None:
    """Print how every layer finds captions by their summaries."""
    from dataclasses import asdict

    from moviola.analysis.text_layers import best_text_layer, rank_text_layers

    layers = rank_text_layers(model, pairs, seed=seed)
    best = best_text_layer(layers)
    if as_json:
        print_json({"layers": [asdict(layer) for layer in layers], "best": best.name})
        return
    names = ("R@1", "R@5", "R@10", "MRR")
    print_table(
        ("layer", *names),
        [(layer.name, *(f"{layer.measures[name]:.3f}" for name in names)) for layer in layers],
    )
    typer.echo(f"Best by MRR: --layers {best.name}")
