"""Annotation files read with errors that name the file and the place."""

# pyarrow ships no types, so every name that comes out of it is unknown to the checker.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from moviola.core import DatasetError, display_path

#: Suffixes of tables that `read_rows` reads.
TABLE_SUFFIXES = (".csv", ".jsonl", ".parquet")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table, and where it stands, such as `captions.csv, line 3`."""

    place: str
    values: Mapping[str, Any]

    def text(self, column: str) -> str:
        """The words in a column.

        Raises:
            DatasetError: when there are none.
        """
        value = self.values.get(column)
        if not isinstance(value, str) or not value.strip():
            raise DatasetError(f"{self.place}: {column!r} is {value!r}; it must be words")
        return value

    def seconds(self, column: str) -> float | None:
        """The number in a column, or None where it is empty or there is no such column.

        Raises:
            DatasetError: when it is no number.
        """
        value = self.values.get(column)
        if value is None or value == "":
            return None
        try:
            return float(value)
        except (TypeError, ValueError):
            raise DatasetError(f"{self.place}: {column!r} is {value!r}, not seconds") from None


def read_text(path: Path) -> str:
    """A UTF-8 file, without its byte order mark.

    Raises:
        DatasetError: when it cannot be read, or naming the line that is not UTF-8.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"{display_path(path)}: {error.strerror or error}") from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DatasetError(
            f"{display_path(path)}, line {line}: byte 0x{raw[error.start]:02x} is not UTF-8; "
            f"save the file as UTF-8"
        ) from None


def read_json(path: Path) -> Any:
    """The value of a JSON file.

    Raises:
        DatasetError: naming the line that is not JSON.
    """
    return _parse(read_text(path), display_path(path), 0)


def read_rows(path: Path, required: Sequence[str]) -> list[Row]:
    """The rows of a table whose columns have names: `.csv`, `.jsonl` or `.parquet`.

    Args:
        path: the table; a CSV begins with the names of its columns.
        required: columns that must be there.

    Raises:
        DatasetError: naming the row, the missing column or the quote that is never closed.
    """
    readers = {".csv": _csv_rows, ".jsonl": _jsonl_rows, ".parquet": _parquet_rows}
    if path.suffix.lower() not in readers:
        raise DatasetError(f"{display_path(path)} is none of {', '.join(TABLE_SUFFIXES)}")
    rows = list(readers[path.suffix.lower()](path))
    for row in rows:
        for column in required:
            if column not in row.values:
                raise DatasetError(
                    f"{row.place}: there is no column {column!r}; "
                    f"there are {', '.join(map(repr, row.values))}"
                )
    return rows


def _csv_rows(path: Path) -> Iterator[Row]:
    shown = display_path(path)
    reader = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
    header: list[str] | None = None
    while True:
        # A row may run over several lines; an open quote is told by the line where its row began.
        line = reader.line_num + 1
        try:
            fields = next(reader, None)
        except csv.Error as error:
            raise DatasetError(
                f"{shown}, line {line}: {error}; a quote that opens in this row is not closed "
                f"(inside quotes, write a quote twice)"
            ) from error
        if fields is None:
            break
        if not fields:
            continue
        if header is None:
            header = [name.strip() for name in fields]
            continue
        if len(fields) != len(header):
            raise DatasetError(
                f"{shown}, line {line}: {len(fields)} fields under {len(header)} columns; "
                f"put double quotes around text that holds commas"
            )
        yield Row(f"{shown}, line {line}", dict(zip(header, fields, strict=True)))
    if header is None:
        raise DatasetError(f"{shown} is empty; its first line must name the columns")


def _jsonl_rows(path: Path) -> Iterator[Row]:
    shown = display_path(path)
    for number, line in enumerate(read_text(path).split("\n")):
        if line.strip():
            value = _parse(line, shown, number)
            place = f"{shown}, line {number + 1}"
            if not isinstance(value, dict):
                raise DatasetError(f"{place}: {type(value).__name__} instead of an object")
            yield Row(place, cast("dict[str, Any]", value))


def _parquet_rows(path: Path) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    shown = display_path(path)
    try:
        rows = cast("list[dict[str, Any]]", pq.read_table(path).to_pylist())
    except (OSError, ValueError, pa.ArrowException) as error:
        raise DatasetError(f"{shown} cannot be read as Parquet: {error}") from error
    for number, values in enumerate(rows):
        yield Row(f"{shown}, row {number + 1}", values)


def _parse(text: str, shown: str, lines_before: int) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DatasetError(
            f"{shown}, line {lines_before + error.lineno}: not JSON: {error.msg} "
            f"at column {error.colno}"
        ) from error
    except RecursionError:
        raise DatasetError(f"{shown}: nested too deeply for JSON") from None
