"""Read pairs of a detailed caption and its short summary, which need no video."""

from __future__ import annotations

from pathlib import Path

from moviola.core import DatasetError, display_path
from moviola.datasets.annotations.tables import read_rows

COLUMNS = ("caption", "summary")


def read_summaries(path: Path) -> list[tuple[str, str]]:
    """Read a table (`.csv`, `.jsonl`, `.parquet`) with the columns `caption` and `summary`.

    Blanks are made one, and a pair that comes again counts once.

    Returns:
        Captions with their summaries, at least one pair.

    Raises:
        DatasetError: naming the row and what is wrong with it, or when there is no pair.
    """
    pairs = dict.fromkeys(
        (" ".join(row.text("caption").split()), " ".join(row.text("summary").split()))
        for row in read_rows(path, COLUMNS)
    )
    if not pairs:
        raise DatasetError(f"{display_path(path)} holds no pairs of a caption and a summary")
    return list(pairs)
