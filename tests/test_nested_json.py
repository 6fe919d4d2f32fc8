"""JSON that is nested without end is an error of its reader, never one of Python's stack."""

from __future__ import annotations

import ast
import io
from collections.abc import Callable
from pathlib import Path

import pytest

import moviola
from moviola.align.head.card import CARD, HeadCard
from moviola.core import DatasetError, StoreCorruptError, WeightsUnavailableError
from moviola.core.json_text import decode_json
from moviola.datasets.annotations.files import read_json
from moviola.experiments.report.run import _read_result
from moviola.library.storage.card import changed_parts
from moviola.pipeline.align.config import FitConfig
from moviola.pipeline.evaluate.comparing import read_report
from moviola.pipeline.evaluate.reporting import require_free
from moviola.retrieve.calibration.library_calibration import LibraryCalibration

DEEP = "[" * 200_000
HOUSE = Path(moviola.__file__).parent


def _shapes(folder: Path) -> None:
    from moviola.encode.shapes.encoder import load

    (folder / "model.safetensors").touch()
    load(weights=folder)


def _llama(folder: Path) -> None:
    from moviola.encode.video_llama.llama import llama_config

    llama_config(folder)


def _video_llama(folder: Path) -> None:
    from moviola.encode.video_llama.config import VideoLlamaConfig

    VideoLlamaConfig.from_json(folder / "config.json")


#: The files that a reader is given, the reader, and what it raises.
READERS: list[tuple[str, Callable[[Path], object], type[Exception]]] = [
    (CARD, lambda folder: HeadCard.read(folder / CARD), StoreCorruptError),
    ("results.json", read_report, DatasetError),
    ("train.json", lambda folder: read_json(folder / "train.json"), DatasetError),
    ("run.json", lambda folder: FitConfig.read(folder / "run.json"), ValueError),
    ("run.toml", lambda folder: FitConfig.read(folder / "run.toml"), ValueError),
    ("result.json", lambda folder: _read_result(folder / "result.json"), ValueError),
    ("library.json", changed_parts, ValueError),
    ("calibration.json", LibraryCalibration.read, StoreCorruptError),
    ("config.json", _shapes, WeightsUnavailableError),
    ("config.json", _llama, WeightsUnavailableError),
    ("config.json", _video_llama, ValueError),
]


@pytest.mark.parametrize(("name", "read", "error"), READERS)
def test_files_are_told(name: str, read, error: type[Exception], tmp_path: Path) -> None:
    (tmp_path / name).write_text(DEEP)
    (tmp_path / "per_query.parquet").touch()
    with pytest.raises(error):
        read(tmp_path)


def test_an_earlier_report_is_told(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(DEEP)
    (tmp_path / "per_query.parquet").touch()
    with pytest.raises(FileExistsError, match="no earlier report"):
        require_free(tmp_path)


def test_a_message_between_processes_is_told() -> None:
    from moviola.video.worker import ipc

    head = DEEP[:60_000].encode()
    stream = io.BytesIO(ipc._HEAD.pack(ipc._MAGIC, len(head), 0) + head)
    with pytest.raises(ipc.GarbageError):
        ipc.receive(stream, most=1 << 20)


def test_a_text_is_told_in_words() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        decode_json(DEEP)
    with pytest.raises(ValueError, match="nested too deeply"):
        decode_json(DEEP.encode())
    assert decode_json('{"a": [1]}') == {"a": [1]}


def test_nothing_reads_json_another_way() -> None:
    """`json.loads` fails in Python's stack; `decode_json` guards it."""
    found = [
        f"{path.relative_to(HOUSE)}:{node.lineno}"
        for path in sorted(HOUSE.rglob("*.py"))
        if path.name != "json_text.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in {"load", "loads"}
        and isinstance(node.value, ast.Name)
        and node.value.id == "json"
    ]
    assert found == []
