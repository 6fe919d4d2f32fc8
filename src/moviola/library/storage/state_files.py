"""Read and write small JSON files beside a library, each with a checksum of its content."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from moviola.core.json_text import decode_json
from moviola.library.storage.card import write_atomically

#: Files with judgements, and with calibrations of a user's own of the library and of judges; other
#: rooms write them.
FAVOURITES = "favourites.json"
CALIBRATION = "calibration.json"
JUDGE_CALIBRATIONS = "judges.json"
#: What Python raises over an archive of arrays (.npz) that is damaged, wherever the damage lies.
DAMAGED_ARCHIVE = (
    *(OSError, ValueError, LookupError, EOFError, RuntimeError, AttributeError, TypeError),
    *(BadZipFile, zlib.error, struct.error),
)


def write_state(path: Path, content: Any) -> None:
    """Write what JSON can hold into `path`, whole or not at all, with its checksum.

    Raises:
        StorageError: when it cannot be written.
    """
    write_atomically(path, _text_of(content))


def read_state(path: Path) -> Any:
    """Read what `write_state` wrote; files of before have no checksum and are read as they are.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: when it is not what was written.
        OSError: when it cannot be read.
    """
    text = path.read_text(encoding="utf-8")
    parts = decode_json(text)
    if not isinstance(parts, dict) or not parts.keys() & {"checksum", "content"}:
        return parts
    if "content" not in parts or text != _text_of(parts["content"]):
        raise ValueError("it is not what was written")
    return parts["content"]


def _text_of(content: Any) -> str:
    checksum = zlib.crc32(json.dumps(content).encode())
    return json.dumps({"checksum": f"{checksum:08x}", "content": content}, indent=1) + "\n"
