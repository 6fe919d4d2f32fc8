"""Write one row a query of moments that were measured."""

from __future__ import annotations

from pathlib import Path

from moviola.core import display_path
from moviola.evaluate.moments.corpus import CorpusMomentResult


def write_rows(result: CorpusMomentResult, path: Path) -> None:
    """Write one row a query, with the rank of its first right moment for every criterion.

    Args:
        result: what was measured.
        path: a `.parquet` or `.csv` file; 0 stands for a query without a right moment.

    Raises:
        ValueError: when the file is called otherwise.
    """
    import pyarrow as pa
    import pyarrow.csv as pa_csv
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist(list(result.rows()))
    if path.suffix.lower() == ".parquet":
        pq.write_table(table, path)
    elif path.suffix.lower() == ".csv":
        pa_csv.write_csv(table, path)
    else:
        raise ValueError(f"{display_path(path)}: rows are written as .parquet or .csv")
