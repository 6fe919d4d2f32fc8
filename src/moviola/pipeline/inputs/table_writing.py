"""Write rows as `.csv` or `.parquet`, whole or not at all."""

# pyarrow ships no types, so every name that comes out of it is unknown to the checker.
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_NUMBERS = {"start", "end"}


def write_table(out: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows under `columns`; a table of before stays where the disk refuses.

    Raises:
        OSError: when the disk refuses.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.with_name(f".{out.name}.partial")
    try:
        if out.suffix.lower() == ".csv":
            with temporary.open("w", encoding="utf-8", newline="") as file:
                # Words are always quoted: a carriage return in them would end the row.
                writer = csv.DictWriter(
                    file,
                    columns,
                    extrasaction="ignore",
                    lineterminator="\n",
                    quoting=csv.QUOTE_NONNUMERIC,
                )
                writer.writeheader()
                writer.writerows(rows)
        else:
            _write_parquet(temporary, columns, rows)
        temporary.replace(out)
    finally:
        temporary.unlink(missing_ok=True)


def _write_parquet(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [(column, pa.float64() if column in _NUMBERS else pa.string()) for column in columns]
    )
    values = {column: [row[column] for row in rows] for column in columns}
    pq.write_table(pa.table(values, schema=schema), path)
