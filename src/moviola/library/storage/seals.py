"""Seal the files of a library's tables: each one's size and checksum, in one JSON file.

LanceDB checks nothing that it reads, and never writes into a file again once it is complete. So
the writer notes every file's checksum after every commit, and a reader compares them before it
shows anything: of 1 GB of vectors in a fraction of a second. The lists of a table's files, its
manifests, and the library's card are small and cannot be made again, so copies are kept here.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from moviola.core import StoreCorruptError, display_path
from moviola.core.json_text import decode_json
from moviola.library.storage.card import (
    CARD_NAME,
    LibraryCard,
    changed_parts,
    write_atomically,
)

SEALS_NAME = "seals.json"
_SCHEMA = 1
_BLOCK = 1 << 20
# Written after a commit and only a hint: a reader looks for later versions whatever it says.
_UNSEALED = "latest_version_hint.json"
_VERSIONS = "_versions"
_DELETIONS = "/_deletions/"
# What Python raises over JSON that is none, or not ours.
_DAMAGE = (ValueError, TypeError, LookupError, AttributeError)
_MOST_COPIED = 1 << 16  # bytes
# Manifests are named by the number that counts down from here, so that the latest is listed first.
_LAST = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class FileSeal:
    """Seal a file: its size in bytes and its CRC-32, which changes with any one bit."""

    bytes: int
    crc: int

    @classmethod
    def of(cls, path: Path) -> Self:
        """Seal a file as it lies there.

        Raises:
            OSError: when it cannot be read.
        """
        size = crc = 0
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                crc = zlib.crc32(block, crc)
                size += len(block)
        return cls(size, crc)


@dataclass(frozen=True, slots=True)
class Seals:
    """Hold the seals of all files of the tables of one committed state.

    Attributes:
        versions: the version of each table, by its name.
        files: seals by the file's path within the library, with slashes.
        copies: the manifests of these versions, their lists of deleted rows, and the library's
            card, by the same paths.
    """

    versions: Mapping[str, int] = field(default_factory=dict[str, int])
    files: Mapping[str, FileSeal] = field(default_factory=dict[str, FileSeal])
    copies: Mapping[str, bytes] = field(default_factory=dict[str, bytes])

    @classmethod
    def of(cls, folder: Path, before: Self) -> Self:
        """Seal the library in `folder` as it lies there; what was sealed before stays sealed so."""
        names = set(table_files(folder))
        files = {
            name: before.files.get(name) or FileSeal.of(folder / name) for name in sorted(names)
        }
        current = current_manifests(names)
        lists = {name for _, name in current.values()}
        lists |= {
            name
            for name, seal in files.items()
            if _DELETIONS in name and seal.bytes <= _MOST_COPIED
        }
        copied = {name: before.copies.get(name) or (folder / name).read_bytes() for name in lists}
        card = _sound_card(folder) or before.copies.get(CARD_NAME)
        if card is not None:
            copied[CARD_NAME] = card
        return cls({table: version for table, (version, _) in current.items()}, files, copied)

    def write(self, folder: Path) -> None:
        """Write the seals of the library in `folder`, whole or not at all.

        Raises:
            StorageError: when they cannot be written.
        """
        parts: dict[str, Any] = {
            "schema": _SCHEMA,
            "versions": dict(self.versions),
            "files": {name: [seal.bytes, seal.crc] for name, seal in self.files.items()},
            "copies": {name: base64.b64encode(held).decode() for name, held in self.copies.items()},
        }
        text = json.dumps(parts, sort_keys=True)
        write_atomically(folder / SEALS_NAME, f"{zlib.crc32(text.encode()):08x} {text}\n")

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Read the seals of the library in `folder`; None where it has none, as before there were.

        Raises:
            StoreCorruptError: when they are not what was written.
        """
        path = folder / SEALS_NAME
        try:
            parts = _checked(path.read_text(encoding="utf-8"))
            return cls(
                dict(parts["versions"]),
                {name: FileSeal(*seal) for name, seal in parts["files"].items()},
                {
                    name: base64.b64decode(held, validate=True)
                    for name, held in parts["copies"].items()
                },
            )
        except FileNotFoundError:
            return None
        except (*_DAMAGE, OSError) as error:
            raise StoreCorruptError(
                f"the list of checksums {display_path(path)} is damaged ({error}); mend it with: "
                f"moviola repair {display_path(folder)}"
            ) from error


def _sound_card(folder: Path) -> bytes | None:
    """Read the card as it lies there, None where it is not what was written."""
    try:
        LibraryCard.read(folder)
        return None if changed_parts(folder) else (folder / CARD_NAME).read_bytes()
    except (OSError, StoreCorruptError):
        return None


def _checked(line: str) -> dict[str, Any]:
    crc, _, text = line.removesuffix("\n").partition(" ")
    if crc != f"{zlib.crc32(text.encode()):08x}":
        raise ValueError("its checksum is another")
    return decode_json(text)


def table_files(folder: Path) -> Iterator[str]:
    """List the files of the tables of a library by their paths within it, with slashes."""
    for path in folder.glob("*.lance/**/*"):
        if path.is_file() and path.name != _UNSEALED:
            yield path.relative_to(folder).as_posix()


def current_manifests(names: set[str]) -> dict[str, tuple[int, str]]:
    """Find the latest version of each table and its manifest, given all files of the tables."""
    found: dict[str, tuple[int, str]] = {}
    for name in names:
        table, _, rest = name.partition(".lance/")
        inside, _, file = rest.partition("/")
        number = file.removesuffix(".manifest")
        if inside != _VERSIONS or number == file or not number.isdecimal():
            continue
        version = int(number)
        if len(number) == len(str(_LAST)):
            version = _LAST - version
        found[table] = max(found.get(table, (0, "")), (version, name))
    return found


def changed_files(folder: Path, seals: Seals, unchanged: dict[str, tuple[int, int]]) -> set[str]:
    """List the sealed files of a library that are missing or not what was written.

    Args:
        folder: of the library.
        seals: of its files.
        unchanged: size and time of the files that were found to be as they were sealed, by name;
            those are not read again. This function adds to it.
    """
    return {
        name for name, seal in seals.files.items() if not _is_as(folder / name, seal, unchanged)
    }


def _is_as(path: Path, seal: FileSeal, unchanged: dict[str, tuple[int, int]]) -> bool:
    try:
        found = path.stat()
        state = (found.st_size, found.st_mtime_ns)
        if unchanged.get(str(path)) == state:
            return True
        if found.st_size != seal.bytes or FileSeal.of(path) != seal:
            return False
    except OSError:
        return False
    unchanged[str(path)] = state
    return True
