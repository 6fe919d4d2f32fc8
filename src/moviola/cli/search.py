"""Run `moviola search`: the moments that a sentence, a picture or both describe."""

from __future__ import annotations

import warnings
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from moviola.cli.console import WIDTH, print_json, print_table, say
from moviola.cli.options import JsonOption, LibraryOption

if TYPE_CHECKING:
    from moviola.core.moments import Moment, Reason, Stretch
    from moviola.library import VideoFilter

#: A query may begin with what is not wanted: `-word` is no option.
CONTEXT = {"ignore_unknown_options": True}
_DAY = ["%Y-%m-%d"]


def run(
    text: Annotated[
        str,
        typer.Argument(
            help="What happens in the moment you look for, or what is said, written or named "
            'there; "two words" beside each other, wor* for a beginning, said:word, written:word '
            "and name:word for one channel, -word for what is not wanted.",
        ),
    ] = "",
    *,
    library: LibraryOption = None,
    top: Annotated[int, typer.Option(min=1, max=1000, help="Moments at most.")] = 10,
    per_video: Annotated[
        int, typer.Option(min=0, help="Moments of one video at most; 0 for no limit.")
    ] = 1,
    then: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT", help="What happens afterwards; may be repeated."),
    ] = None,
    within: Annotated[
        float | None,
        typer.Option(metavar="S", help="Seconds from one step to the next at most. Default: 30."),
    ] = None,
    image: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A picture that the moment looks like.")
    ] = None,
    weight: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="The picture's share beside a text. Default: 0.5."),
    ] = None,
    like: Annotated[
        str | None,
        typer.Option(metavar="CLIP", help="Like this clip: the 'clip' of a moment in --json."),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Only videos below this folder.")
    ] = None,
    after: Annotated[
        datetime | None,
        typer.Option(formats=_DAY, metavar="DATE", help="Only videos of this day or later."),
    ] = None,
    before: Annotated[
        datetime | None,
        typer.Option(formats=_DAY, metavar="DATE", help="Only videos of this day or earlier."),
    ] = None,
    min_duration: Annotated[
        float | None, typer.Option(min=0, metavar="S", help="Only videos as long as this.")
    ] = None,
    max_duration: Annotated[
        float | None, typer.Option(min=0, metavar="S", help="Only videos no longer than this.")
    ] = None,
    with_sound: Annotated[
        bool | None,
        typer.Option("--with-sound/--without-sound", help="Only videos with, or without, sound."),
    ] = None,
    missing: Annotated[
        bool, typer.Option("--missing", help="Also videos whose files are gone.")
    ] = False,
    show_duplicates: Annotated[
        bool, typer.Option("--show-duplicates", help="Show near-duplicates one by one.")
    ] = False,
    rerank: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL",
            help="Order the moments anew by this model, which reads their frames again; several "
            "times for a cascade, the cheap one first.",
        ),
    ] = None,
    rerank_top: Annotated[
        list[int] | None,
        typer.Option(
            metavar="N",
            min=1,
            help="How many of the best moments it reads, even more than --top; once a --rerank.",
        ),
    ] = None,
    channels: Annotated[
        str | None,
        typer.Option(
            "--in",
            metavar="CHANNELS",
            help="Where to look: some of seen,said,written,named, or names of channels. "
            "Default: everywhere.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Find the moments that TEXT describes, the best first.

    A word says how far to trust a moment: strong (nine in ten such moments are right), likely (at
    least half of them) or unsure; none where that was not measured.
    """
    from moviola.core import ExitCode
    from moviola.core.paths import library_path
    from moviola.library import DamageWarning
    from moviola.pipeline.models import tell_narrow_world
    from moviola.pipeline.search.search import open_library, search, tell_damage
    from moviola.retrieve.query import WEIGHT, WITHIN

    if text.startswith("--"):
        raise typer.BadParameter(f"there is no option {text.split()[0]}; see --help")
    warnings.simplefilter("ignore", DamageWarning)  # it is said below
    opened = open_library(library_path(library))
    if note := tell_narrow_world(opened.card.space):
        say(note)
    if rerank_top and len(rerank_top) != len(rerank or ()):
        raise typer.BadParameter("--rerank-top stands once for each --rerank, or not at all")
    moments = search(
        text,
        library=opened,
        top=max([top, *(rerank_top or ())]),
        per_video=per_video or None,
        filters=_filters(
            folder=folder,
            after=after,
            before=before,
            shortest=min_duration,
            longest=max_duration,
            has_sound=with_sound,
            missing=missing,
        ),
        then=then or (),
        within=WITHIN if within is None else within,
        picture=image,
        weight=WEIGHT if weight is None else weight,
        like=like,
        fold=not show_duplicates,
        channels=None if channels is None else [name.strip() for name in channels.split(",")],
    )
    again: dict[str, float | None] = {}
    if rerank and moments:
        from moviola.pipeline.search.reranking import Stage, rerank_cascade
        from moviola.retrieve.calibration.judge_calibration import JudgeCalibrations

        budgets = rerank_top or [None] * len(rerank)
        stages = [Stage(model, best) for model, best in zip(rerank, budgets, strict=True)]
        calibrations = JudgeCalibrations.read(opened.path)
        ranked = rerank_cascade(text, moments, stages, calibrations=calibrations)[:top]
        moments = [each.moment for each in ranked]
        again = {each.moment.clip: each.score for each in ranked}
    if as_json:
        print_json([as_object(m) | ({"rerank": again[m.clip]} if again else {}) for m in moments])
    elif moments:
        _print_moments(moments, again)
    elif not missing and all(each.is_missing for each in opened.videos() if each.clips):
        typer.echo(
            "nothing found: the files of all videos of the library are gone; --missing finds them "
            "all the same, `moviola index` takes up those that are there again"
        )
    else:
        typer.echo(
            "nothing found: no video of the library passes the filters or holds what is asked for; "
            "`moviola status` shows what it holds, `moviola index DIR` adds to it"
        )
    if not opened.damage:
        return int(ExitCode.OK)
    say(tell_damage(opened))
    return int(ExitCode.STORE_CORRUPT)


def _filters(
    *,
    folder: Path | None,
    after: datetime | None,
    before: datetime | None,
    shortest: float | None,
    longest: float | None,
    has_sound: bool | None,
    missing: bool,
) -> VideoFilter:
    """Make the filter of the options given."""
    from moviola.library import VideoFilter

    return VideoFilter(
        below=None if folder is None else folder.expanduser().absolute(),
        since=_day(after),
        until=_day(before),
        shortest=shortest,
        longest=longest,
        has_sound=has_sound,
        missing=missing,
    )


def _day(moment: datetime | None) -> date | None:
    """Drop the time of day."""
    return None if moment is None else moment.date()


def _print_moments(moments: list[Moment], again: dict[str, float | None]) -> None:
    """Print a table of moments, with the scores of the second model where there was one."""
    from moviola.core import display_path
    from moviola.retrieve.parsing import SEEN

    print_table(
        (
            "band",
            "chance",
            "score",
            *(["rerank"] if again else []),
            "start",
            "end",
            "peak",
            "video",
        ),
        [
            (
                moment.band or "",
                "" if moment.probability is None else f"{moment.probability:.0%}",
                f"{moment.score:.3f}",
                *([_format_again(again[moment.clip])] if again else []),
                format_clock(moment.start),
                format_clock(moment.end),
                format_clock(moment.peak),
                display_path(moment.path) + _remark(moment),
            )
            for moment in moments
        ],
        below=[
            [_why(reason) for reason in moment.why if reason.channel != SEEN] for moment in moments
        ],
    )


def _why(reason: Reason) -> str:
    """Write on one line what a moment was found by."""
    from rich.cells import cell_len, set_cell_size

    from moviola.core import display_path

    text = " ".join(display_path(" ".join(reason.text.split())).split())
    line = f"    {reason.channel} {format_clock(reason.start)}: {text}"
    return line if cell_len(line) <= WIDTH else set_cell_size(line, WIDTH - 1).rstrip() + "…"


def _remark(moment: Moment) -> str:
    """Say behind a moment what its columns do not."""
    found = ["file missing"] if moment.missing else []
    if moment.duplicates:
        found.append(f"+{len(moment.duplicates)} like it")
    return f" ({', '.join(found)})" if found else ""


def _format_again(score: float | None) -> str:
    """Format the score of a second model, which is None where the file could not be read."""
    return "unread" if score is None else f"{score:.3f}"


def as_object(moment: Moment) -> dict[str, Any]:
    """Make the JSON object of a moment, times in seconds.

    `others`, `duplicates`, `steps` and `missing` are there only where they say something.
    """
    found: dict[str, Any] = {
        "video": moment.video,
        "path": str(moment.path),
        "clip": moment.clip,
        **_stretch(moment),
        "band": moment.band,
        "probability": None if moment.probability is None else round(moment.probability, 6),
    }
    if moment.others:
        found["others"] = moment.others
    if moment.duplicates:
        found["duplicates"] = list(moment.duplicates)
    if moment.steps:
        found["steps"] = [_stretch(step) for step in moment.steps]
    found["why"] = [_as_reason(reason) for reason in moment.why]
    return found | ({"missing": True} if moment.missing else {})


def _as_reason(reason: Reason) -> dict[str, Any]:
    """Make the JSON of what a moment was found by; `words` only where words were."""
    found: dict[str, Any] = {
        "channel": reason.channel,
        "text": reason.text,
        "start": round(reason.start, 3),
        "end": round(reason.end, 3),
    }
    words: list[dict[str, Any]] = []
    for word in reason.words:
        times = word.span and {"start": round(word.span.start, 3), "end": round(word.span.end, 3)}
        words.append({"text": word.text, "first": word.first, "last": word.last, **(times or {})})
    return found | ({"words": words} if words else {})


def _stretch(found: Moment | Stretch) -> dict[str, float]:
    """Make the JSON of a stretch of time and its score."""
    return {
        "start": round(found.start, 3),
        "end": round(found.end, 3),
        "peak": round(found.peak, 3),
        "score": round(found.score, 6),
    }


def format_clock(seconds: float) -> str:
    """Format seconds as `m:ss.s` or `h:mm:ss.s`."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02d}" if hours else str(minutes)
    return f"{head}:{rest / 10:04.1f}"
