"""Keep the library's card: what its vectors are, in one JSON file, written atomically."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self

from moviola.core import Readout, Space, SpaceMismatchError, StorageError, StoreCorruptError
from moviola.core import display_path as shown

CARD_NAME = "library.json"
SCHEMA = 1


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


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
        if found:
            raise SpaceMismatchError(
                f"the library {shown(library)} holds other vectors: {'; '.join(found)}. Use "
                f"--model {self.model} --segment {self.segment} with this library, or index into "
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

    def write(self, folder: Path) -> None:
        """Put the card into `folder`: whole or not at all, and still there after a power cut.

        Raises:
            StorageError: when it cannot be written.
        """
        text = json.dumps(asdict(self) | {"created": self.created or _now()}, indent=2)
        write_atomically(folder / CARD_NAME, text + "\n")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the card of the library in `folder`.

        Raises:
            FileNotFoundError: when there is none.
            StoreCorruptError: when it cannot be understood, or a newer Moviola wrote it.
        """
        path = folder / CARD_NAME
        try:
            parts = json.loads(path.read_text(encoding="utf-8"))
            return cls._from_json(path, parts)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise StoreCorruptError(
                f"the library card {shown(path)} is damaged ({error}); restore that file from a "
                "backup, or index into a new library with --library"
            ) from error

    @classmethod
    def _from_json(cls, path: Path, parts: Mapping[str, Any]) -> Self:
        if int(parts["schema"]) > SCHEMA:
            raise StoreCorruptError(
                f"{shown(path)} was written by a newer Moviola (layout {parts['schema']}, this one "
                f"knows up to {SCHEMA}); upgrade Moviola to use this library"
            )
        known = {field.name for field in fields(cls)}
        if set(parts) | {"precision", "codecs"} != known:
            raise ValueError(f"its fields are {sorted(parts)}")
        calibration = parts["calibration"]
        if calibration is not None:
            slope, intercept = calibration
            calibration = (float(slope), float(intercept))
        made = {
            "space": Space(**parts["space"]),
            "video_readout": Readout(**parts["video_readout"]),
            "text_readout": Readout(**parts["text_readout"]),
            "calibration": calibration,
            "codecs": tuple(map(str, parts.get("codecs", ()))),
        }
        return cls(**{**parts, **made})


def _differences(name: str, ours: Space | Readout, theirs: Space | Readout | None) -> list[str]:
    if theirs is None or theirs == ours:
        return []
    there, here = asdict(ours), asdict(theirs)
    return [
        f"{name} {part} is {there[part]!r} there and {here[part]!r} here"
        for part in there
        if there[part] != here[part]
    ]


def write_atomically(path: Path, text: str) -> None:
    """Replace `path` by `text`; a reader or a crash meets the old file or the new one, no mixture.

    Raises:
        StorageError: when it cannot be written.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
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
