"""Read the outermost structure of a file without a decoder, to tell cut-off from broken."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_ISO_BOXES = frozenset(
    {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp", b"moof", b"sidx"}
)
_MAGIC = (b"\x1aE\xdf\xa3", b"FLV", b"OggS", b"GIF8", b"0&\xb2u\x8ef\xcf\x11", b"\0\0\1\xba")
_MOST_BOXES = 10_000
_HEAD_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Outline:
    """Hold what the outermost structure of a file says.

    Attributes:
        known: whether the file begins like a container that is read here.
        iso: whether it begins like MP4 or QuickTime.
        has_index: whether a `moov` box was found (MP4 and QuickTime).
        malformed: whether a box has an impossible size.
        promised: bytes the file should have, 0 where it does not say.
        encrypted: whether an encrypted video track is declared.
    """

    known: bool = False
    iso: bool = False
    has_index: bool = False
    malformed: bool = False
    promised: int = 0
    encrypted: bool = False


def outline(path: Path) -> Outline:
    """Outline the file at `path`; reads a few megabytes at most.

    Raises:
        OSError: when the file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(12)
        if head[4:8] in _ISO_BOXES:
            return _iso_outline(file)
        if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
            # Later parts of a long AVI are further RIFF chunks, which may be missing as well.
            return Outline(known=True, promised=int.from_bytes(head[4:8], "little") + 8)
        if head[:4] == b"\x1aE\xdf\xa3":
            return Outline(known=True, promised=_matroska_size(file))
        file.seek(0)
        start = file.read(4096)
        known = start.startswith(_MAGIC) or _is_transport_stream(start)
        return Outline(known=known)


def _iso_outline(file: BinaryIO) -> Outline:
    size = file.seek(0, 2)
    position = 0
    has_index = malformed = False
    for _ in range(_MOST_BOXES):
        file.seek(position)
        header = file.read(16)
        if len(header) < 8:
            break
        length, kind = struct.unpack(">I4s", header[:8])
        has_index = has_index or kind == b"moov"
        if length == 1 and len(header) == 16:
            length = int.from_bytes(header[8:16], "big")
        if length == 0:
            position = size
            break
        if length < 8:
            malformed = True
            break
        position += length
    file.seek(0)
    encrypted = b"encv" in file.read(_HEAD_BYTES)
    return Outline(
        known=True,
        iso=True,
        has_index=has_index,
        malformed=malformed,
        promised=position,
        encrypted=encrypted,
    )


def _matroska_size(file: BinaryIO) -> int:
    """Find the end of the first segment, 0 where it is open-ended (a live recording)."""
    file.seek(0)
    head = file.read(4096)
    at = head.find(b"\x18\x53\x80\x67")
    if at < 0 or at + 5 > len(head):
        return 0
    first = head[at + 4]
    length = 9 - first.bit_length()
    field = head[at + 4 : at + 4 + length]
    if length > 8 or len(field) < length:
        return 0
    value = int.from_bytes(field, "big") & ((1 << (7 * length)) - 1)
    if value == (1 << (7 * length)) - 1:
        return 0
    return at + 4 + length + value


def _is_transport_stream(start: bytes) -> bool:
    return any(
        len(start) > first + 2 * step and {start[first + i * step] for i in range(3)} == {0x47}
        for first, step in ((0, 188), (4, 192))
    )
