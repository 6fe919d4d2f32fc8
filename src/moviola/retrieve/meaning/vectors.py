"""Embed windows of passages once, and keep their vectors in the library's cache."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from moviola.core import Readout, Space
from moviola.library import CACHE, Library
from moviola.library.storage.state_files import DAMAGED_ARCHIVE
from moviola.retrieve.meaning.windows import TextWindow

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Windows that are embedded between two looks at the disk.
_TOGETHER = 4096


class TextEncoder(Protocol):
    """Embed queries and the passages that answer them, as unit vectors of one space."""

    @property
    def space(self) -> Space:
        """Return the space of exactly these weights."""
        ...

    @property
    def readout(self) -> Readout:
        """Tell how passages are read."""
        ...

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode queries to `(n, D)` float32."""
        ...

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode passages to `(n, D)` float32."""
        ...


def window_vectors(
    library: Library, encoder: TextEncoder, windows: Sequence[TextWindow]
) -> NDArray[np.float32]:
    """Return the vectors `(n, D)` of windows: those that are kept, and others embedded now.

    They are derived data. A library that cannot be written to is searched all the same.
    """
    path = _place(library, encoder)
    dimension = encoder.space.dimension
    known = _read(path, dimension)
    fresh = list({each.key: each for each in windows if each.key not in known}.values())
    for first in range(0, len(fresh), _TOGETHER):
        part = fresh[first : first + _TOGETHER]
        rows = encoder.encode_passages([each.text for each in part]).astype(np.float16)
        known.update(zip((each.key for each in part), rows, strict=True))
    if fresh:
        used = {each.key: known[each.key] for each in windows}
        with suppress(OSError):
            _write(path, used)
    if not windows:
        return np.zeros((0, dimension), np.float32)
    return np.stack([known[each.key] for each in windows]).astype(np.float32)


def _place(library: Library, encoder: TextEncoder) -> Path:
    """Name the file by what decides its content: space and readout."""
    digest = hashlib.sha256(repr((encoder.space, encoder.readout)).encode()).hexdigest()[:16]
    return library.path / CACHE / "meaning" / f"{digest}.npz"


def _read(path: Path, dimension: int) -> dict[int, NDArray[np.float16]]:
    """Read vectors by the keys of their windows; none where the file is damaged."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
            keys, rows = arrays["keys"], arrays["rows"]
    except DAMAGED_ARCHIVE:
        return {}
    if rows.shape != (len(keys), dimension) or not np.isfinite(rows).all():
        return {}
    return dict(zip(keys.tolist(), rows, strict=True))


def _write(path: Path, vectors: dict[int, NDArray[np.float16]]) -> None:
    """Write vectors whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            keys = np.fromiter(vectors, np.uint64, len(vectors))
            np.savez(file, allow_pickle=False, keys=keys, rows=np.stack([*vectors.values()]))
        Path(name).replace(path)
    except OSError:
        with suppress(OSError):
            Path(name).unlink()
        raise
