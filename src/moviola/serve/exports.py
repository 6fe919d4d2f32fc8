"""Write moments as files for other programs: CSV, JSON, edit decision lists (CMX 3600)."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from typing import Any

from moviola.pipeline.passages.exporting import spreadsheet_cell
from moviola.serve.schemas import MomentAnswer

_FIELDS = (
    "rank", "name", "folder", "start", "end", "peak", "score", "band", "probability", "video", "id",
)  # fmt: skip
_RATE = 25  # frames a second of the list's time codes
_REEL = 8
_LINE = 128


def as_csv(moments: Sequence[MomentAnswer], *, raw: bool) -> str:
    """Write a table with a header; unless `raw`, cells that spreadsheets would run get a `'`."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(_FIELDS)
    for rank, moment in enumerate(moments, start=1):
        row = {"rank": rank, **moment.model_dump()}
        writer.writerow([_cell(row[name], raw=raw) for name in _FIELDS])
    return buffer.getvalue()


def as_json(moments: Sequence[MomentAnswer], query: dict[str, Any]) -> str:
    """Write one object: the query and its moments."""
    rows = [moment.model_dump(mode="json") for moment in moments]
    return json.dumps({"schema": 1, "query": query, "moments": rows}, indent=1)


def as_edl(moments: Sequence[MomentAnswer], title: str) -> str:
    """Write a CMX 3600 list at 25 frames a second: the moments one after another, cuts only.

    Source time codes count from the first frame of each file. Files are named in comments, as
    editing programs look for them there.
    """
    lines = [f"TITLE: {_plain(title) or 'Moviola'}"[:_LINE], "FCM: NON-DROP FRAME", ""]
    at = 0
    for event, moment in enumerate(moments, start=1):
        first, last = round(moment.start * _RATE), max(round(moment.end * _RATE), 1)
        last = max(last, first + 1)
        length = last - first
        codes = " ".join(map(_code, (first, last, at, at + length)))
        lines.append(f"{event:03d}  {_reel(moment.name):<{_REEL}} V     C        {codes}")
        lines.append(f"* FROM CLIP NAME: {_plain(moment.name)}"[:_LINE])
        at += length
    return "\r\n".join(lines) + "\r\n"


def _cell(value: object, *, raw: bool) -> object:
    """Write a value so that no spreadsheet runs it."""
    return "" if value is None else spreadsheet_cell(value, raw=raw)


def _code(frames: int) -> str:
    """Write a number of frames as a time code."""
    seconds, rest = divmod(frames, _RATE)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}:{rest:02d}"


def _reel(name: str) -> str:
    """Make a reel's name of a file's."""
    stem = name.rpartition(".")[0] or name
    return re.sub(r"[^A-Z0-9]", "", stem.upper())[:_REEL] or "AX"


def _plain(text: str) -> str:
    """Put a text on one line."""
    return " ".join(text.split())
