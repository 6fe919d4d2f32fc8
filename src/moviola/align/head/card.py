"""Read and write the card of a head: input, output and record of the fit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, cast

from moviola.core import StoreCorruptError, display_path
from moviola.core.json_text import decode_json

CARD = "head.json"
WEIGHTS = "head.safetensors"
SCHEMA = "moviola-head"
VERSION = 1


@dataclass(frozen=True, slots=True)
class HeadCard:
    """Hold the JSON card beside the weights of a head.

    Attributes:
        kind: of maps.
        options: of the maps.
        texts: what is expected of the texts, as of `Side.to_json`.
        clips: likewise of the videos.
        head: digest of the weights.
        fit: how the fit went: method, data, protocol, figures, seconds, warnings.
    """

    kind: str
    options: Mapping[str, Any]
    texts: Mapping[str, Any]
    clips: Mapping[str, Any]
    head: str
    fit: Mapping[str, Any]

    def to_json(self) -> str:
        """Serialise the card as it is written."""
        value = {
            "schema": SCHEMA,
            "version": VERSION,
            "kind": self.kind,
            "options": dict(self.options),
            "texts": dict(self.texts),
            "clips": dict(self.clips),
            "head": self.head,
            "fit": dict(self.fit),
        }
        return json.dumps(value, indent=1, ensure_ascii=True, allow_nan=False) + "\n"

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the card in the file `path`.

        Raises:
            StoreCorruptError: when it cannot be understood.
        """
        try:
            value: object = decode_json(path.read_bytes())
        except ValueError as error:
            raise StoreCorruptError(f"{display_path(path)} is not JSON ({error})") from error
        if not isinstance(value, dict) or cast("dict[str, Any]", value).get("schema") != SCHEMA:
            raise StoreCorruptError(f"{display_path(path)} is not the card of a Moviola head")
        found = cast("dict[str, Any]", value)
        if found.get("version") != VERSION:
            raise StoreCorruptError(
                f"{display_path(path)} has version {found.get('version')!r}; this Moviola reads "
                f"version {VERSION}: update Moviola, or fit again"
            )
        parts = ("kind", "options", "texts", "clips", "head", "fit")
        try:
            return cls(**{part: found[part] for part in parts})
        except KeyError as error:
            raise StoreCorruptError(f"{display_path(path)} lacks {error}; fit again") from error
