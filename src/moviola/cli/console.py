"""Print what every command prints: one-line errors, JSON, a progress line on stderr."""

from __future__ import annotations

import errno
import json
import os
import sys
import traceback
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import zip_longest
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from pathlib import Path

    from moviola.library import FailedFile
    from moviola.pipeline.evaluate.evaluation import Evaluation

_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EFBIG}


def say_error(error: Exception) -> int:
    """Print `error` as one line on stderr and return its exit code."""
    if os.environ.get("MOVIOLA_DEBUG"):
        traceback.print_exception(error)
    if isinstance(error, typer.Abort):
        return 130
    message, code = _message_and_code(error)
    line = " ".join(message.split())
    sys.stderr.write(f"moviola: {line}\n")
    return code


def _message_and_code(error: Exception) -> tuple[str, int]:
    from moviola.core import ExitCode, MoviolaError

    # Typer's usage errors come from click or from its own copy of it, depending on the version.
    if format_message := getattr(error, "format_message", None):
        return format_message(), int(ExitCode.USAGE)
    if isinstance(error, MoviolaError):
        return str(error), int(error.exit_code)
    if isinstance(error, OSError) and error.errno in _DISK:
        return f"{error.strerror}: {error.filename or 'a file of the library'}", 8
    if isinstance(error, (FileNotFoundError, FileExistsError, ValueError)):
        return str(error), 2
    return f"unexpected {type(error).__name__}: {error} (run again with --debug to see where)", 1


def print_json(value: Any) -> None:
    """Print `value` as one line of JSON on stdout; undecodable bytes of a path are escaped."""
    typer.echo(json.dumps(value, ensure_ascii=True))


@dataclass
class Progress:
    """Show a progress line on stderr: counts, rate and time left. Silent without a terminal."""

    _bar: Any = field(default=None, repr=False)
    _task: Any = field(default=None, repr=False)

    def update(self, *, done: int, total: int, note: str) -> None:
        """Show that `done` of `total` items are finished."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total, note=note)


@contextmanager
def progress(what: str) -> Generator[Progress]:
    """Yield a `Progress` that lives as long as the block."""
    if not sys.stderr.isatty():
        yield Progress()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        yield Progress(_bar=bar, _task=bar.add_task(what, total=None, note=""))


def say(line: str) -> None:
    """Print `line` on stderr, where it does not mix with data."""
    sys.stderr.write(line + "\n")


def say_failures(failures: Iterable[FailedFile]) -> None:
    """Print one line on stderr for every file that could not be used."""
    from moviola.core import display_path

    for failure in failures:
        shown = display_path(failure.path)
        why = failure.message.removeprefix(f"{shown} ").removeprefix(f"{shown}: ")
        say(f"{shown}: {failure.code}: {why}")


def show_evaluation(
    found: Evaluation, *, data: Path | None, out: Path | None, as_json: bool
) -> None:
    """Write the report of an evaluation where one is wanted, and print its numbers.

    Args:
        found: what was evaluated.
        data: the data set that knows words and files, for the report.
        out: the folder of the report.
        as_json: whether the numbers are printed as JSON.
    """
    from moviola.evaluate import corrected_table
    from moviola.pipeline.evaluate.annotations import annotated
    from moviola.pipeline.evaluate.evaluation import as_object
    from moviola.pipeline.evaluate.reporting import write_report

    if out is not None:
        groups: Mapping[str, frozenset[str]] = {}
        if data is not None:
            found, groups = annotated(found, data)
        write_report(found, out, groups=groups)
    if as_json:
        print_json(as_object(found))
        return
    typer.echo(str(found.result))
    if found.corrected:
        typer.echo("\n" + corrected_table(found.corrected))


def readable_bytes(count: int) -> str:
    """Write a number of bytes for people: `1.4 GB`, in powers of 1,000."""
    size, units = float(count), ["bytes", "kB", "MB", "GB", "TB"]
    while size >= 999.5 and len(units) > 1:
        size, units = size / 1000, units[1:]
    exact = units[0] == "bytes" or size >= 99.95
    return f"{size:.0f} {units[0]}" if exact else f"{size:.1f} {units[0]}"


#: Columns of a terminal that lines of text keep to.
WIDTH = 100
_UNBROKEN = 12
"""Characters of a cell, such as `1.8 GB`, that are never broken into lines."""


def print_table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    below: Sequence[Sequence[str]] = (),
) -> None:
    """Print aligned columns on stdout, in lines of 100 columns.

    Where cells are too long, those of the widest columns go on in further lines, between words; a
    word, such as a path without spaces, is never cut.

    Args:
        head: the names of the columns.
        rows: their cells.
        below: for each row the lines that follow it; none at all where it is empty.
    """
    table = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = _fitted_widths(table)
    for number, row in enumerate(table, -1):
        cells = (_lines(cell, width) for cell, width in zip(row, widths, strict=True))
        for line in zip_longest(*cells, fillvalue="") if any(row) else [()]:
            padded = (f"{part:<{width}}" for part, width in zip(line, widths, strict=False))
            typer.echo("  ".join(padded).rstrip())
        for line in below[number] if below and number >= 0 else ():
            typer.echo(line)


def _lines(cell: str, width: int) -> list[str]:
    """Break a cell between words into lines of at most `width`, where its words are no longer."""
    if len(cell) <= width:
        return [cell]
    return wrap(cell, width, break_long_words=False, break_on_hyphens=False)


def _fitted_widths(table: Sequence[Sequence[str]]) -> list[int]:
    """Narrow the widest columns until a line fits, down to the longest word of each."""
    columns = list(zip(*table, strict=True))
    widths = [max(1, *map(len, column)) for column in columns]
    least = [
        max(len(word) for cell in column for word in cell.split() or "-") for column in columns
    ]
    while sum(widths) + 2 * (len(widths) - 1) > WIDTH:
        free = [at for at, width in enumerate(widths) if width > least[at]]
        if not free:
            break
        widths[max(free, key=widths.__getitem__)] -= 1
    return widths
