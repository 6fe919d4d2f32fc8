"""JSON that is nested without end is an error of its reader, never one of Python's stack."""

from __future__ import annotations

from pathlib import Path

import pytest

from moviola.align.head.card import CARD, HeadCard
from moviola.core import DatasetError, StoreCorruptError
from moviola.datasets.annotations.files import read_json
from moviola.pipeline.evaluate.comparing import read_report
from moviola.pipeline.evaluate.reporting import require_free

DEEP = "[" * 200_000


def test_cards_reports_and_annotations_are_told(tmp_path: Path) -> None:
    for name in (CARD, "results.json", "per_query.parquet", "train.json"):
        (tmp_path / name).write_text(DEEP)
    with pytest.raises(StoreCorruptError, match="is not JSON"):
        HeadCard.read(tmp_path / CARD)
    with pytest.raises(DatasetError, match="is not JSON"):
        read_report(tmp_path)
    with pytest.raises(FileExistsError, match="no earlier report"):
        require_free(tmp_path)
    with pytest.raises(DatasetError, match="not JSON that can be read"):
        read_json(tmp_path / "train.json")
