"""Run `moviola passages`: what a video says, shows in writing and is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moviola.cli.console import print_json
from moviola.cli.options import JsonOption, LibraryOption

if TYPE_CHECKING:
    from moviola.core import Passage


def run(
    video: Annotated[
        Path | None,
        typer.Argument(help="A video of the library, or a library's folder. None: all videos."),
    ] = None,
    *,
    library: LibraryOption = None,
    channel: Annotated[
        str | None,
        typer.Option(help="Only this channel, such as subtitles, names, writing or speech."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write to this file: .srt or .vtt of a video, .csv."),
    ] = None,
    raw_csv: Annotated[
        bool, typer.Option("--raw-csv", help="Leave cells that spreadsheets would run as they are.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """List the passages of a video, a transcript with times; or write them to a file."""
    from moviola.core import display_path
    from moviola.core.paths import library_path
    from moviola.library.storage.card import write_atomically
    from moviola.pipeline.passages.exporting import SUBTITLES, as_csv
    from moviola.pipeline.passages.transcript import is_library, passages
    from moviola.pipeline.search.search import open_library

    if video is not None and library is None and is_library(video):
        video, library = None, video
    opened = open_library(library_path(library))
    found = passages(video, library=opened, channel=channel)
    names = {record.id: display_path(record.path) for record in opened.videos()}
    suffix = "" if output is None else output.suffix.lower().removeprefix(".")
    if output is not None and suffix == "csv":
        write_atomically(output, as_csv(found, names, raw=raw_csv))
    elif output is not None:
        if suffix not in SUBTITLES or video is None:
            raise ValueError(
                "passages of a video are written to .srt, .vtt or .csv, those of all videos to .csv"
            )
        write_atomically(output, SUBTITLES[suffix](found))
    elif as_json:
        print_json(
            [
                {
                    "video": names[each.video],
                    "channel": each.channel,
                    "start": each.span.start,
                    "end": each.span.end,
                    "text": each.text,
                    "language": each.language,
                    "confidence": each.confidence,
                }
                for each in found
            ]
        )
    else:
        _print(found, names, several=video is None)


def _print(found: Sequence[Passage], names: Mapping[str, str], *, several: bool) -> None:
    """Print a line a passage, under the name of its video where there are several."""
    from moviola.core import display_path

    shown = None
    for each in found:
        if several and each.video != shown:
            shown = each.video
            typer.echo(names[shown])
        # Control characters of a text must not reach the terminal.
        text = display_path(" ".join(each.text.split()))
        typer.echo(f"{_clock(each.span.start):>9}  {each.channel:<9}  {text}")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"
