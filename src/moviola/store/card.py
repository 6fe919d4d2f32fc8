"""Read and write the card of a store, so that nothing has to be guessed from the bytes."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Self, cast, get_args

from moviola.core import Readout, Space, StoreCorruptError, display_path
from moviola.core.json_text import decode_json

CARD = "card.json"
ITEMS = "items.arrow"
SCHEMA = "moviola-store"
VERSION = 1

Kind = Literal["clips", "texts"]
RowType = Literal["float16", "float32"]

_SHARD = re.compile(r"vectors-\d{5}-of-\d{5}\.safetensors")


@dataclass(frozen=True, slots=True)
class FileSeal:
    """Seal a file of the store: its size in bytes and its SHA-256."""

    bytes: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Self:
        """Seal a file as it lies there."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(path.stat().st_size, digest)


@dataclass(frozen=True, slots=True)
class StoreCard:
    """Describe what a store holds.

    Attributes:
        kind: `"clips"` or `"texts"`.
        space: what its vectors may be compared with.
        readout: how the model was read.
        dtype: of the rows, `"float16"` or `"float32"`.
        items: number of items.
        rows: number of rows of all items together.
        files: name to seal: the items, then the shards of rows in order.
        precision: that the model computed in, such as `"bfloat16"`; `""` where it was not told,
            as in every store of before.
        segment: how the videos were cut, such as `windows:6/3`; `""` where it was not told.
    """

    kind: Kind
    space: Space
    readout: Readout
    dtype: RowType
    items: int
    rows: int
    files: dict[str, FileSeal]
    precision: str = ""
    segment: str = ""

    @property
    def shards(self) -> list[str]:
        """File names of the shards, in order of their rows."""
        return sorted(name for name in self.files if name != ITEMS)

    def to_json(self) -> str:
        """Write the card as JSON, the same bytes for the same content."""
        head = {"schema": SCHEMA, "version": VERSION}
        return json.dumps(head | asdict(self), indent=1, ensure_ascii=True) + "\n"

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the card of the store in `folder`.

        Raises:
            StoreCorruptError: when there is none, or it cannot be understood.
        """
        path = folder / CARD
        try:
            value = decode_json(path.read_bytes())
        except FileNotFoundError:
            raise StoreCorruptError(_without_card(folder)) from None
        except ValueError as error:
            raise StoreCorruptError(
                f"{display_path(path)} is not JSON ({error}); encode into a new folder"
            ) from error
        if not isinstance(value, dict) or cast("dict[str, Any]", value).get("schema") != SCHEMA:
            raise StoreCorruptError(f"{display_path(path)} is not the card of a Moviola store")
        found = cast("dict[str, Any]", value)
        if found.get("version") != VERSION:
            raise StoreCorruptError(
                f"{display_path(path)} has version {found.get('version')!r}; this Moviola reads "
                f"version {VERSION}: update Moviola, or encode again"
            )
        try:
            return cls.from_json(found)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise StoreCorruptError(
                f"{display_path(path)} lacks or misspells something ({error}); "
                f"encode into a new folder"
            ) from error

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Self:
        """Make the card of what was parsed.

        Raises:
            KeyError, TypeError, ValueError, AttributeError, OverflowError: when it is no card.
        """
        files = {name: FileSeal(**seal) for name, seal in found["files"].items()}
        for name in files:
            # A card may come from a stranger; it must not lead out of its folder.
            if name != ITEMS and not _SHARD.fullmatch(name):
                raise ValueError(f"no store has a file called {name!r}")
        if found["kind"] not in get_args(Kind) or found["dtype"] not in get_args(RowType):
            raise ValueError(f"kind {found['kind']!r} or dtype {found['dtype']!r}")
        return cls(
            kind=found["kind"],
            space=Space(**found["space"]),
            readout=Readout(**found["readout"]),
            dtype=found["dtype"],
            items=int(found["items"]),
            rows=int(found["rows"]),
            files=files,
            precision=str(found.get("precision", "")),
            segment=str(found.get("segment", "")),
        )


def is_store(folder: Path) -> bool:
    """Tell whether `folder` holds a finished store."""
    return (folder / CARD).is_file()


def _without_card(folder: Path) -> str:
    shown = display_path(folder)
    inside = sorted(path.parent.relative_to(folder).as_posix() for path in folder.rglob(CARD))
    if inside:
        more = f" and {len(inside) - 4} more" if len(inside) > 4 else ""
        named = ", ".join(inside[:4])
        return f"{shown} is not itself a store; it holds {named}{more}: open one of them"
    if folder.with_name(folder.name + ".partial").is_dir():
        return f"{shown} was never finished: run the same encode again, it goes on where it stopped"
    return f"{shown} is not a store: it has no {CARD}"
