"""Read annotation files as text and as JSON, with errors that name the file and the line."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from reprlib import repr as shortened
from typing import Any, cast

from moviola.core import DatasetError, display_path
from moviola.core.json_text import decode_json


def read_text(path: Path) -> str:
    """Read a UTF-8 file, without its byte order mark.

    Raises:
        DatasetError: when it cannot be read, or naming the line that is not UTF-8 text.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"{display_path(path)}: {error.strerror or error}") from error
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DatasetError(f"{display_path(path)} is UTF-16; save the file as UTF-8")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DatasetError(
            f"{display_path(path)}, line {line}: byte 0x{raw[error.start]:02x} is not UTF-8; "
            f"save the file as UTF-8"
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise DatasetError(
            f"{display_path(path)}, line {line}: there is a NUL, which no text holds; "
            f"save the file as UTF-8"
        )
    return text


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Read the lines of a UTF-8 file that are not blank, with their numbers, without line ends.

    Raises:
        DatasetError: as `read_text`.
    """
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            yield number, line.removesuffix("\r")


def read_json(path: Path) -> Any:
    """Read the value of a JSON file.

    Raises:
        DatasetError: naming the line that is not JSON, or a name that one object has twice.
    """
    return parse_json(read_text(path), display_path(path))


def read_json_object(path: Path) -> Mapping[str, Any]:
    """Read the object that a JSON file holds.

    Raises:
        DatasetError: as `read_json`, or when it holds something else.
    """
    value = read_json(path)
    if not isinstance(value, dict):
        raise DatasetError(
            f"{display_path(path)} holds a {type(value).__name__} instead of an object"
        )
    return cast("dict[str, Any]", value)


def parse_json(text: str, shown: str, line: int = 1) -> Any:
    """Parse JSON that begins on line `line` of the file called `shown`.

    Raises:
        DatasetError: as `read_json`.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            names = Counter(name for name, _ in pairs)
            doubled = max(names, key=names.__getitem__)
            where = f"{shown}, line {line}" if line > 1 else shown
            raise DatasetError(f"{where}: one object has {doubled!r} twice; keep one")
        return found

    try:
        return decode_json(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise DatasetError(
            f"{shown}, line {line + error.lineno - 1}: not JSON: {error.msg} "
            f"at column {error.colno}"
        ) from error
    except ValueError as error:  # too deep, or a number of too many digits
        raise DatasetError(f"{shown}, line {line}: not JSON that can be read: {error}") from error


def checked_text(value: str, place: str) -> str:
    """Require that `value` is text that every format can store, and return it.

    Raises:
        DatasetError: naming `place`, when it holds a NUL or half of a surrogate pair.
    """
    if "\0" in value:
        raise DatasetError(f"{place} holds a NUL character; take it out")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise DatasetError(
            f"{place} holds half a character ({value[error.start]!a}); save the file again as UTF-8"
        ) from None
    return value


def caption_list(value: object, place: str) -> list[str]:
    """Read the words of a JSON list of captions, of which there must be one at least.

    Raises:
        DatasetError: naming `place` and the caption that is none.
    """
    sentences = cast("list[object]", value) if isinstance(value, list) else []
    if not sentences:
        raise DatasetError(f"{place} must be a list of captions, and not an empty one")
    captions: list[str] = []
    for number, words in enumerate(sentences):
        if not isinstance(words, str) or not words.strip():
            raise DatasetError(
                f"{place}[{number}] is {shortened(words)}; write words there, or take it out"
            )
        captions.append(checked_text(words, f"{place}[{number}]"))
    return captions
