"""Keep the library's card: what its vectors are, in one JSON file, written atomically."""

from __future__ import annotations

import hashlib
import json
import math
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self

from moviola.core import Readout, Space, SpaceMismatchError, StorageError, StoreCorruptError
from moviola.core import display_path as shown
from moviola.core.json_text import decode_json

CARD_NAME = "library.json"
#: Version of the layout on disk; `migrating` brings libraries of earlier ones to it.
SCHEMA = 3
_CHECKED_SINCE = 2  # the first schema whose card carries a checksum
PASSAGES_SINCE = 3  # the first schema with a table of passages
#: The name in place of a model's where a library holds no vectors.
NO_MODEL = "none"
# The encoder is compared with these parts whenever one is loaded, and refused by name.
_COMPARED = frozenset({"space", "video_readout", "text_readout"})
# Parts that cards of before lack.
_ADDED = frozenset({"precision", "codecs", "sharpness", "channels", "rows"})
_LONGEST = 1 << 20  # bytes; a card has about two thousand


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True)
class KnownChannel:
    """Name a channel that a library has passages of, or was told not to read.

    Attributes:
        name: the channel's name.
        version: its latest, `""` where it is not to be read.
        spec: how `--channel` takes it, to load it again.
    """

    name: str
    version: str
    spec: str


@dataclass(frozen=True, slots=True)
class LibraryCard:
    """Say what a library's vectors are: the only ones it will ever take or be asked with.

    Attributes:
        model: the encoder's name, as `--model` takes it, to load it again.
        space: what the vectors may be compared with.
        video_readout: how the video tower was read.
        text_readout: how queries must be read.
        segment: how videos were cut, such as `windows:6/3`.
        calibration: slope and intercept that turn a score into a probability of being right,
            `p = 1 / (1 + exp(-(slope * score + intercept)))`; None where the encoder ships none.
        created: when the library was made (ISO 8601, UTC).
        schema: version of the layout on disk.
        precision: that the vectors were computed in, such as `"bfloat16"`; several with commas
            where runs differed; `""` where no run told it, as in libraries of before.
        codecs: that some run allowed beyond the built-in list, so that its videos are shown too.
        sharpness: windows are joined to moments by `exp(sharpness * score)`; 0, as in libraries of
            before, joins them by the scores themselves.
        channels: those that passages are read by, by name.
        rows: pooling of the rows that a clip keeps beside its vector, `"none"` for all of them;
            `""` where it keeps none.
    """

    model: str
    space: Space
    video_readout: Readout
    text_readout: Readout
    segment: str
    calibration: tuple[float, float] | None = None
    created: str = ""
    schema: int = SCHEMA
    precision: str = ""
    codecs: tuple[str, ...] = ()
    sharpness: float = 0.0
    channels: tuple[KnownChannel, ...] = ()
    rows: str = ""

    @property
    def has_vectors(self) -> bool:
        """Tell whether clips have vectors; a library without a model holds passages alone."""
        return self.model != NO_MODEL

    @property
    def vector_type(self) -> Literal["float16", "float32"]:
        """Name the stored precision: half for unit vectors, single where norms count."""
        return "float16" if self.space.metric == "cosine" else "float32"

    def require(
        self,
        *,
        library: Path,
        space: Space | None = None,
        video_readout: Readout | None = None,
        text_readout: Readout | None = None,
        segment: str | None = None,
        rows: str | None = None,
    ) -> None:
        """Refuse whatever differs from this card; None stands for "not at stake here".

        The encoder's name is not compared: two names for equal spaces and readouts are one model.

        Raises:
            SpaceMismatchError: naming every component that differs and both ways out.
        """
        ours: dict[str, Space | Readout] = {
            "space": self.space,
            "video readout": self.video_readout,
            "text readout": self.text_readout,
        }
        theirs = {"space": space, "video readout": video_readout, "text readout": text_readout}
        found = [
            difference
            for name, our in ours.items()
            for difference in _differences(name, our, theirs[name])
        ]
        if segment is not None and segment != self.segment:
            found.append(f"segment is {self.segment!r} there and {segment!r} here")
        if rows is not None and rows != self.rows:
            found.append(f"rows is {self.rows!r} there and {rows!r} here")
        if found:
            raise SpaceMismatchError(
                f"the library {shown(library)} holds other vectors: {'; '.join(found)}. Use "
                f"--model {self.model} --segment {self.segment}"
                f"{f' --rows {self.rows}' if self.rows else ''} with this library, or index into "
                "a new one with --library"
            )

    def with_precision(self, precision: str) -> Self:
        """Add the precision of a run to those of the runs before; `""` adds nothing.

        What a library of before was computed in stays `unknown`.
        """
        told = self.precision.split(", ") if self.precision else ["unknown"]
        if not precision or precision in told:
            return self
        return replace(self, precision=", ".join([*told, precision]))

    def with_codecs(self, codecs: Iterable[str]) -> Self:
        """Add codecs that a run allows to those of the runs before."""
        return replace(self, codecs=tuple(sorted({*self.codecs, *codecs})))

    def with_channels(self, channels: Iterable[KnownChannel]) -> Self:
        """Add channels, or put them in place of those of their names."""
        known = {channel.name: channel for channel in (*self.channels, *channels)}
        return replace(self, channels=tuple(known[name] for name in sorted(known)))

    def write(self, folder: Path) -> None:
        """Put the card into `folder`: whole or not at all, and still there after a power cut.

        Raises:
            StorageError: when it cannot be written.
        """
        parts = asdict(self) | {"created": self.created or _now()}
        if self.schema >= _CHECKED_SINCE:
            parts["checksums"] = _checksums(parts)
        write_atomically(folder / CARD_NAME, json.dumps(parts, indent=2) + "\n")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the card of the library in `folder`.

        Raises:
            FileNotFoundError: when there is none.
            StoreCorruptError: when it is not what was written, or a newer Moviola wrote it.
        """
        path = folder / CARD_NAME
        try:
            return cls._from_json(path, decode_json(_read_short(path)))
        except (ValueError, TypeError, LookupError, ArithmeticError) as error:
            raise StoreCorruptError(
                f"the library card {shown(path)} is damaged ({error}); mend it with: moviola "
                f"repair {shown(folder)}"
            ) from error

    @classmethod
    def _from_json(cls, path: Path, parts: Any) -> Self:
        if not isinstance(parts, dict) or type(schema := parts["schema"]) is not int:
            raise ValueError("it does not say its schema")
        if schema > SCHEMA:
            raise StoreCorruptError(
                f"{shown(path)} was written by a newer Moviola (schema {schema}, this one "
                f"knows up to {SCHEMA}); upgrade Moviola to use this library"
            )
        if schema < 1:
            raise ValueError(f"there is no schema {schema}")
        checksums = parts.pop("checksums", None)
        known = {field.name: field.type for field in fields(cls)}
        if set(parts) | _ADDED != set(known):
            raise ValueError(f"its fields are {sorted(parts)}")
        if schema >= _CHECKED_SINCE:
            changed = set(_changed_parts(parts, checksums)) - _COMPARED
            if changed:
                raise ValueError(f"{min(changed)} is not what was written")
        for name, part in parts.items():
            if known[name] == "str" and not isinstance(part, str):
                raise TypeError(f"{name} is {part!r}")
        made = {
            "space": Space(**parts["space"]),
            "video_readout": Readout(**parts["video_readout"]),
            "text_readout": Readout(**parts["text_readout"]),
            "calibration": None if parts["calibration"] is None else _pair(*parts["calibration"]),
            "codecs": tuple(map(str, parts.get("codecs", ()))),
            "sharpness": _finite(parts.get("sharpness", 0)),
            "channels": tuple(KnownChannel(**channel) for channel in parts.get("channels", ())),
        }
        return cls(**{**parts, **made})


def changed_parts(folder: Path) -> list[str]:
    """List the parts of a library's card that are not what was written, in order.

    Raises:
        OSError: when the card cannot be read.
        ValueError: when it is no card.
    """
    parts = decode_json(_read_short(folder / CARD_NAME))
    if parts["schema"] < _CHECKED_SINCE:
        return []
    return sorted(_changed_parts(parts, parts.pop("checksums", None)))


def _pair(slope: Any, intercept: Any) -> tuple[float, float]:
    return _finite(slope), _finite(intercept)


def _finite(number: Any) -> float:
    found = float(number)
    if not math.isfinite(found):
        raise ValueError(f"{found} is not finite")
    return found


def _read_short(path: Path) -> str:
    """Read a text file that is short; nothing else is opened, for a pipe would block."""
    found = path.stat()
    if stat.S_ISFIFO(found.st_mode) or found.st_size > _LONGEST:
        raise ValueError("it is no short text file")
    return path.read_text(encoding="utf-8")


def _checksums(parts: Mapping[str, Any]) -> dict[str, str]:
    """Digest each part of a card by its name."""
    texts = {name: f"{name}:{json.dumps(part, sort_keys=True)}" for name, part in parts.items()}
    return {
        name: hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
        for name, text in texts.items()
    }


def _changed_parts(parts: Mapping[str, Any], checksums: Any) -> list[str]:
    """List the parts of a card that are not what was written."""
    wanted = checksums if isinstance(checksums, dict) else {}
    return [name for name, found in _checksums(parts).items() if found != wanted.get(name)]


def _differences(name: str, ours: Space | Readout, theirs: Space | Readout | None) -> list[str]:
    if theirs is None or theirs == ours:
        return []
    there, here = asdict(ours), asdict(theirs)
    return [
        f"{name} {part} is {there[part]!r} there and {here[part]!r} here"
        for part in there
        if there[part] != here[part]
    ]


def write_atomically(path: Path, content: str | bytes) -> None:
    """Replace `path` by `content`; a reader or a crash meets the old file or the new one whole.

    Raises:
        StorageError: when it cannot be written.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with temporary.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StorageError(f"cannot write {shown(path)}: {error.strerror}") from error


def sync_folder(folder: Path) -> None:
    """Make the entries of `folder` durable where the system can."""
    if os.name == "nt":  # folders cannot be opened there
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
