"""Say beside a folder of `.npy` what its vectors are, so that no reader has to take them on trust.

A folder without it is one of somebody else, or of an earlier Moviola: its space is anonymous.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self, cast

from moviola.core import Readout, Space, StoreCorruptError, display_path
from moviola.core.json_text import decode_json
from moviola.core.version import __version__
from moviola.store.card import Kind, RowType, StoreCard

SIDECAR = "embeddings.json"
_SCHEMA = "moviola-npy"
_VERSION = 1
_ROW_TYPES: dict[str, RowType] = {"float16": "float16", "float32": "float32"}
_KINDS: dict[str, Kind] = {"clips": "clips", "texts": "texts"}
_REMEDY = "encode again, or delete it: the vectors are then in a space of which nothing is known"


@dataclass(frozen=True, slots=True)
class Sidecar:
    """Describe the vectors of a folder of `.npy`.

    Attributes:
        kind: `"clips"` or `"texts"`.
        space: what the vectors may be compared with.
        readout: how the model was read.
        dtype: of the numbers, `"float16"` or `"float32"`.
        precision: that the model computed in; `""` where it was not told.
        segment: how videos were cut, such as `windows:6/3`; `""` where it was not told.
        made_by: the program that wrote the folder, and its version.
    """

    kind: Kind
    space: Space
    readout: Readout
    dtype: RowType
    precision: str = ""
    segment: str = ""
    made_by: str = f"moviola {__version__}"

    @classmethod
    def of(cls, card: StoreCard) -> Self:
        """Describe a folder made of the store with that card."""
        return cls(card.kind, card.space, card.readout, card.dtype, card.precision, card.segment)

    def card(self) -> StoreCard:
        """Declare the same as the card of a store of which nothing is counted yet."""
        return StoreCard(
            *(self.kind, self.space, self.readout, self.dtype),
            items=0,
            rows=0,
            files={},
            precision=self.precision,
            segment=self.segment,
        )

    def write(self, folder: Path) -> None:
        """Write `embeddings.json` into `folder`, whole or not at all.

        Raises:
            OSError: when the disk refuses.
        """
        text = json.dumps({"schema": _SCHEMA, "version": _VERSION} | asdict(self), indent=1)
        temporary = folder / f".{SIDECAR}.partial"
        with temporary.open("w", encoding="ascii") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(folder / SIDECAR)

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Read the sidecar of `folder`, or None where there is none.

        Raises:
            StoreCorruptError: when there is one that cannot be understood.
        """
        path = folder / SIDECAR
        try:
            value = decode_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise StoreCorruptError(
                f"{display_path(path)} is not JSON that can be read ({error}); {_REMEDY}"
            ) from error
        if not isinstance(value, dict) or cast("dict[str, Any]", value).get("schema") != _SCHEMA:
            raise StoreCorruptError(
                f"{display_path(path)} does not describe a folder of .npy; {_REMEDY}"
            )
        found = cast("dict[str, Any]", value)
        if found.get("version") != _VERSION:
            raise StoreCorruptError(
                f"{display_path(path)} has version {found.get('version')!r}; this Moviola reads "
                f"version {_VERSION}: update Moviola, or encode again"
            )
        try:
            return cls(
                kind=_KINDS[found["kind"]],
                space=Space(**found["space"]),
                readout=Readout(**found["readout"]),
                dtype=_ROW_TYPES[found["dtype"]],
                precision=str(found.get("precision", "")),
                segment=str(found.get("segment", "")),
                made_by=str(found.get("made_by", "")),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise StoreCorruptError(
                f"{display_path(path)} lacks or misspells something ({error}); {_REMEDY}"
            ) from error
