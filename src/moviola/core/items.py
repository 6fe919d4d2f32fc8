"""What is embedded and retrieved: clips of videos, and texts. Pointers, never pixels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from moviola.core.spans import Span


@dataclass(frozen=True, slots=True)
class Clip:
    """A pointer to a span of a video file.

    `id` names the clip for good; `path` may hold undecodable bytes (as surrogate escapes, see
    `os.fsdecode`), so it must go through `os.fsencode` before it is stored and through
    `display_path` before it is shown.
    """

    id: str
    path: Path
    span: Span


@dataclass(frozen=True, slots=True)
class Text:
    """A caption or a query: an id and its words."""

    id: str
    text: str


def display_path(path: Path | str) -> str:
    """`path` as printable text that stays unambiguous.

    Undecodable bytes, control characters and direction overrides become backslash escapes; a
    literal backslash is doubled only where an escape was needed, so that ordinary names stay as
    they are.
    """
    raw = str(path)
    if raw.isprintable() and raw.isascii():
        return raw
    shown: list[str] = []
    escaped = False
    for character in raw:
        code = ord(character)
        if 0xDC80 <= code <= 0xDCFF:  # a byte that was not UTF-8, as os.fsdecode keeps it
            shown.append(f"\\x{code - 0xDC00:02x}")
            escaped = True
        elif not character.isprintable():
            shown.append(character.encode("unicode_escape").decode("ascii"))
            escaped = True
        else:
            shown.append("\\\\" if character == "\\" else character)
    return "".join(shown) if escaped else raw
