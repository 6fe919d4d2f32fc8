"""`moviola align`: fit a head on frozen embeddings, and map vectors through it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from moviola.cli import align_check
from moviola.cli.console import print_json, print_table, say
from moviola.cli.options import JsonOption

app = typer.Typer(
    name="align",
    no_args_is_help=True,
    help="Make frozen embeddings of texts and videos comparable.",
)
app.command(name="check")(align_check.run)

TextsOption = Annotated[
    str,
    typer.Option(
        metavar="T", help="Vectors of captions: .npy, FILE.safetensors:TENSOR, a store, a folder."
    ),
]
VideosOption = Annotated[str, typer.Option(metavar="V", help="Vectors of videos, likewise.")]
IndexOption = Annotated[
    str | None,
    typer.Option(metavar="INDEX", help="Whose is whose: .npy of rows, or .csv of text and video."),
]
PoolOption = Annotated[
    str | None, typer.Option(help="How several rows an item become one: mean, max, ….")
]


@app.command()
def fit(
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
    from moviola.cli.align_summary import lines_of

    for warning in record["warnings"]:
        say(f"warning: {warning}")
    for line in lines_of(record):
        typer.echo(line)


@app.command()
def apply(
    head: Annotated[str, typer.Argument(metavar="HEAD", help="Folder or hub id of the head.")],
    *,
    out: Annotated[Path, typer.Option(metavar="STORE", help="Folder of the store to write.")],
    videos: Annotated[str | None, typer.Option(metavar="V", help="Vectors of videos.")] = None,
    texts: Annotated[str | None, typer.Option(metavar="T", help="Vectors of texts.")] = None,
    pool: PoolOption = None,
    as_json: JsonOption = False,
) -> None:
    """Map videos, or texts, into the space of a head, and store them."""
    from moviola.align import Aligner
    from moviola.core import display_path
    from moviola.pipeline.align.fitting import apply_head

    if (texts is None) == (videos is None):
        raise typer.BadParameter("give --videos or --texts, one of both")
    loaded = Aligner.from_pretrained(head)
    count = apply_head(loaded, out=out, texts=texts, videos=videos, pooling=pool)
    if as_json:
        print_json({"items": count, "space": loaded.space.digest, "written": str(out)})
    else:
        typer.echo(f"{count:,} items in {display_path(out)}")


@app.command()
def sweep(
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
    """How wide must the shared space be? R@1 and MRR of held-out videos for several widths."""
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
        ("width", "R@1", "MRR", "95 % interval"),
        [
            (
                str(each.width),
                f"{each.r1:.1f}",
                f"{each.mrr:.4f}",
                f"{each.interval[0]:.4f} to {each.interval[1]:.4f}",
            )
            for each in found
        ],
    )
