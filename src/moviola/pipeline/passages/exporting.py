"""Write passages out: as subtitles of one video, or as a table."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence

from moviola.core import Passage

# Spreadsheets run what begins like this, even a text in quotes.
_FORMULA = re.compile(r"[=+\-@\t\r]")
_COLUMNS = ("video", "channel", "start", "end", "text", "language", "confidence")


def as_srt(passages: Sequence[Passage]) -> str:
    """Write SubRip; lines that would read as times or as the next cue are kept apart from them."""
    cues = [
        f"{number}\n{_clock(p.span.start, ',')} --> {_clock(p.span.end, ',')}\n{_lines(p.text)}\n"
        for number, p in enumerate(passages, start=1)
    ]
    return "\n".join(cues)


def as_vtt(passages: Sequence[Passage]) -> str:
    """Write WebVTT (W3C); what would be a tag there is escaped."""
    cues = [
        f"{_clock(p.span.start, '.')} --> {_clock(p.span.end, '.')}\n{_escaped(_lines(p.text))}\n"
        for p in passages
    ]
    return "\n".join(["WEBVTT\n", *cues])


def as_csv(passages: Sequence[Passage], names: Mapping[str, str], *, raw: bool = False) -> str:
    """Write a table with a header; unless `raw`, cells that spreadsheets would run get a `'`.

    `names` says what each video is called, by its id.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for passage in passages:
        row = (
            names.get(passage.video, passage.video),
            passage.channel,
            f"{passage.span.start:.3f}",
            f"{passage.span.end:.3f}",
            passage.text,
            passage.language or "",
            "" if passage.confidence is None else f"{passage.confidence:.3f}",
        )
        writer.writerow([spreadsheet_cell(value, raw=raw) for value in row])
    return buffer.getvalue()


#: Formats of one video's passages by the suffixes of files.
SUBTITLES: Mapping[str, Callable[[Sequence[Passage]], str]] = {"srt": as_srt, "vtt": as_vtt}


def spreadsheet_cell(value: object, *, raw: bool = False) -> object:
    """Return what goes into a cell: unless `raw`, a text that would be run gets a `'` before it."""
    if isinstance(value, str) and not raw and _FORMULA.match(value):
        return f"'{value}"
    return value


def _clock(seconds: float, point: str) -> str:
    total = round(seconds * 1000)
    minutes, milliseconds = divmod(total, 60_000)
    hours, minutes = divmod(minutes, 60)
    whole, milliseconds = divmod(milliseconds, 1000)
    return f"{hours:02d}:{minutes:02d}:{whole:02d}{point}{milliseconds:03d}"


def _lines(text: str) -> str:
    """Return a text without blank lines, which end a cue, and without the arrow of times."""
    lines = (line.strip() for line in text.replace("-->", "->").splitlines())
    return "\n".join(line for line in lines if line)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
