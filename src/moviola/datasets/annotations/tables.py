"""Read tables of annotations, with errors that name the file and the place."""

# pyarrow ships no types, so every name that comes out of it is unknown to the checker.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from reprlib import repr as shortened
from typing import Any, cast

from moviola.core import DatasetError, Span, display_path
from moviola.datasets.annotations.files import checked_text, parse_json, read_lines, read_text

#: Suffixes of tables that `read_rows` reads.
TABLE_SUFFIXES = (".csv", ".jsonl", ".parquet")
#: Longest field of a CSV, in characters. Python's own limit of 131,072 would take a long caption
#: for a quote that was never closed.
_LONGEST = 2**31 - 1

#: A field of a CSV with the blanks around it: in quotes, or up to the next comma or line.
_FIELD = re.compile(r'[ \t]*("(?:[^"]|"")*")[ \t]*(?=[,\r\n]|\Z)|[^,\r\n]+')


@dataclass(frozen=True, slots=True)
class Row:
    """Hold one row of a table, and where it stands, such as `captions.csv, line 3`."""

    place: str
    values: Mapping[str, Any]

    def text(self, column: str) -> str:
        """Read the words in a column, as they stand.

        Raises:
            DatasetError: when there are none, or something that cannot be stored as text.
        """
        value = self.values.get(column)
        if not isinstance(value, str) or not value.strip():
            raise DatasetError(
                f"{self.place}: {column!r} is {shortened(value)}; write words there, or take the "
                f"row out"
            )
        return checked_text(value, f"{self.place}: {column!r}")

    def name(self, column: str) -> str:
        """Read the id in a column: words without blanks around them, or a whole number.

        Raises:
            DatasetError: when there is none.
        """
        value = self.values.get(column)
        return str(value) if type(value) is int else self.text(column).strip()

    def seconds(self, column: str) -> float | None:
        """Read the number in a column, or None where it is empty or there is no such column.

        Raises:
            DatasetError: when it is no number.
        """
        value = self.values.get(column)
        if value is None or value == "":
            return None
        try:
            return float(value)
        except (TypeError, ValueError):
            raise DatasetError(
                f"{self.place}: {column!r} is {shortened(value)}; write seconds, such as 12.5"
            ) from None

    def span(self) -> Span | None:
        """Read the seconds in `start` and `end`, or None where there are neither.

        Raises:
            DatasetError: when one of them is not there, or they are no span.
        """
        start, end = self.seconds("start"), self.seconds("end")
        if start is None and end is None:
            return None
        if start is None or end is None:
            raise DatasetError(f"{self.place}: a moment needs both start and end, in seconds")
        try:
            return Span(start, end)
        except ValueError as error:
            raise DatasetError(f"{self.place}: {error}") from None


def object_rows(values: object, place: str) -> list[Row]:
    """Read the objects of a JSON list as rows called `PLACE[0]`, `PLACE[1]`, ….

    Raises:
        DatasetError: when it is no list, or something in it is no object.
    """
    if not isinstance(values, list):
        raise DatasetError(f"{place} is {_a(values)} instead of a list")
    rows: list[Row] = []
    for number, value in enumerate(cast("list[object]", values)):
        if not isinstance(value, dict):
            raise DatasetError(f"{place}[{number}] is {_a(value)} instead of an object")
        rows.append(Row(f"{place}[{number}]", cast("dict[str, Any]", value)))
    return rows


#: A column that must be there, or several of which one must be.
Required = str | tuple[str, ...]


def read_rows(path: Path, required: Sequence[Required]) -> list[Row]:
    """Read the rows of a table whose columns have names: `.csv`, `.jsonl` or `.parquet`.

    Columns beyond the required ones are kept; their order does not matter.

    Args:
        path: the table; a CSV begins with the names of its columns.
        required: columns that must be there; of a tuple of names, one.

    Raises:
        DatasetError: naming the row, the missing or doubled column, or the quote that is never
            closed.
    """
    readers = {".csv": _csv_rows, ".jsonl": _jsonl_rows, ".parquet": _parquet_rows}
    if path.suffix.lower() not in readers:
        raise DatasetError(f"{display_path(path)} is none of {', '.join(TABLE_SUFFIXES)}")
    return list(readers[path.suffix.lower()](path, required))


def read_tabbed(path: Path, columns: Sequence[str], *, header: bool = False) -> list[Row]:
    """Read the rows of a file whose fields are separated by tabs, where quotes mean nothing.

    Args:
        path: the file.
        columns: names of its fields, in order.
        header: whether its first line names the columns.

    Raises:
        DatasetError: naming the line that has too few or too many fields, or when the header is
            not there.
    """
    rows: list[Row] = []
    for number, line in read_lines(path):
        place = f"{display_path(path)}, line {number}"
        fields = line.split("\t")
        if len(fields) != len(columns):
            raise DatasetError(
                f"{place}: {len(fields)} fields separated by tabs; "
                f"there must be {len(columns)}: {', '.join(columns)}"
            )
        rows.append(Row(place, dict(zip(columns, fields, strict=True))))
    if header and (not rows or list(rows.pop(0).values.values()) != list(columns)):
        raise DatasetError(
            f"{display_path(path)}: the first line must name the columns, separated by tabs: "
            f"{', '.join(columns)}"
        )
    return rows


def _csv_rows(path: Path, required: Sequence[Required]) -> Iterator[Row]:
    shown = display_path(path)
    lines = _csv_fields(path)
    line, header = next(lines, (0, None))
    if header is None:
        raise DatasetError(f"{shown} is empty; its first line must name the columns")
    header = [name.strip() for name in header]
    _require(f"{shown}, line {line}", header, required)
    for line, fields in lines:
        if len(fields) != len(header):
            raise DatasetError(
                f"{shown}, line {line}: {len(fields)} fields under {len(header)} columns; "
                f"put double quotes around text that holds commas"
            )
        yield Row(f"{shown}, line {line}", dict(zip(header, fields, strict=True)))


def _csv_fields(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Read every row that is not blank, with the line on which it begins.

    Blanks around a quoted field are no part of it.
    """
    text = _FIELD.sub(lambda field: field[1] or field[0], read_text(path))
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        # A row may run over several lines; an open quote is told by the line where its row began.
        line = reader.line_num + 1
        try:
            with _fields_of_any_length():
                fields = next(reader, None)
        except csv.Error as error:
            raise DatasetError(
                f"{display_path(path)}, line {line}: {error}; a quote that opens in this row is "
                f"not closed (inside quotes, write a quote twice)"
            ) from error
        if fields is None:
            return
        if fields:
            yield line, fields


@contextmanager
def _fields_of_any_length() -> Generator[None]:
    # The limit belongs to the process, so it is put back.
    before = csv.field_size_limit(_LONGEST)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _jsonl_rows(path: Path, required: Sequence[Required]) -> Iterator[Row]:
    shown = display_path(path)
    for number, line in read_lines(path):
        place = f"{shown}, line {number}"
        value = parse_json(line, shown, number)
        if not isinstance(value, dict):
            raise DatasetError(f"{place}: {_a(value)} instead of an object")
        row = Row(place, cast("dict[str, Any]", value))
        _require(place, list(row.values), required)
        yield row


def _parquet_rows(path: Path, required: Sequence[Required]) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    shown = display_path(path)
    try:
        table = pq.ParquetFile(path).read()
        columns = cast("list[str]", table.schema.names)
        rows = cast("list[dict[str, Any]]", table.to_pylist())
    except (OSError, ValueError, pa.ArrowException) as error:
        raise DatasetError(f"{shown} cannot be read as Parquet: {error}") from error
    _require(shown, columns, required)
    for number, values in enumerate(rows):
        yield Row(f"{shown}, row {number + 1}", values)


def _require(place: str, columns: Sequence[str], required: Iterable[Required]) -> None:
    doubled = [name for name, count in Counter(columns).items() if count > 1]
    if doubled:
        raise DatasetError(f"{place}: two columns are called {doubled[0]!r}; rename one")
    for wanted in required:
        names = (wanted,) if isinstance(wanted, str) else wanted
        if not set(names) & set(columns):
            raise DatasetError(
                f"{place}: there is no column {names[0]!r}; there are "
                f"{', '.join(shortened(name) for name in columns[:20])}{_hint(columns)}"
            )


def _hint(columns: Sequence[str]) -> str:
    """Hint at another separator, where the header is in one piece and holds it."""
    for separator, word in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if len(columns) == 1 and separator in columns[0]:
            return f". The columns seem to be separated by {word}; separate them by commas"
    return ""


def _a(value: object) -> str:
    return f"a {type(value).__name__}"
