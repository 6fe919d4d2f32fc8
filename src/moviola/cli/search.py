"""`moviola search`: the moments that a sentence describes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from moviola.cli.console import print_json, print_table
from moviola.cli.options import JsonOption, LibraryOption

if TYPE_CHECKING:
    from moviola.core.moments import Moment


def run(
    text: Annotated[str, typer.Argument(help="What happens in the moment you look for.")],
    *,
    library: LibraryOption = None,
    top: Annotated[int, typer.Option(min=1, max=1000, help="Moments at most.")] = 10,
    per_video: Annotated[
        int | None, typer.Option(min=1, help="Moments of one video at most. Default: no limit.")
    ] = None,
    rerank: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Order the moments anew by this model, which reads their frames again.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Find the moments that TEXT describes, the best first.

    A band says how far to trust a moment: strong, likely, or weak (probably not what you mean).
    """
    from moviola.core import display_path
    from moviola.core.paths import library_path
    from moviola.pipeline import search

    moments = search(text, library=library_path(library), top=top, per_video=per_video)
    again: dict[int, float | None] = {}
    if rerank is not None and moments:
        from moviola.pipeline.search.reranking import rerank as rank_again

        ranked = rank_again(text, moments, model=rerank)
        moments = [each.moment for each in ranked]
        again = {id(each.moment): each.score for each in ranked}
    if as_json:
        print_json([as_object(m) | ({"rerank": again[id(m)]} if again else {}) for m in moments])
        return
    if not moments:
        typer.echo("nothing found: the library holds no clips yet; run `moviola index DIR` first")
        return
    print_table(
        ("band", "score", *(["rerank"] if again else []), "start", "end", "peak", "video"),
        [
            (
                moment.band,
                f"{moment.score:.3f}",
                *([_figure(again[id(moment)])] if again else []),
                clock(moment.start),
                clock(moment.end),
                clock(moment.peak),
                display_path(moment.path) + (" (file missing)" if moment.missing else ""),
            )
            for moment in moments
        ],
    )


def _figure(score: float | None) -> str:
    return "unread" if score is None else f"{score:.3f}"


def as_object(moment: Moment) -> dict[str, Any]:
    """The JSON object of a moment, times in seconds; `missing` is there where the file is not."""
    found: dict[str, Any] = {
        "video": moment.video,
        "path": str(moment.path),
        "start": round(moment.start, 3),
        "end": round(moment.end, 3),
        "peak": round(moment.peak, 3),
        "score": round(moment.score, 6),
        "band": moment.band,
    }
    return found | ({"missing": True} if moment.missing else {})


def clock(seconds: float) -> str:
    """Seconds as `m:ss.s` or `h:mm:ss.s`."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02d}" if hours else str(minutes)
    return f"{head}:{rest / 10:04.1f}"
