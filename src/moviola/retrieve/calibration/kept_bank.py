"""Embed the bank of ordinary sentences once for a library, and keep it there."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import Encoder
from moviola.library import CACHE, Library, Snapshot
from moviola.library.storage.state_files import DAMAGED_ARCHIVE
from moviola.retrieve.calibration.bank_statistics import BankStatistics
from moviola.retrieve.calibration.ordinary import digest_of, ordinary_sentences
from moviola.retrieve.products import encode_directions, multiply_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Texts that an encoder is given at once.
_TOGETHER = 32
# Directions are the same where they differ by less than this share.
_EQUAL = 1e-6
# Scores that are worked on at once: 64 MB of float32.
_BLOCK = 16_000_000


def bank_directions(library: Library, encoder: Encoder) -> NDArray[np.float32]:
    """Give the directions `(B, D)` of the ordinary sentences in the library's space.

    They are derived data: read from the library's cache where they are, else encoded and written
    there. A library that cannot be written to is served all the same.

    Raises:
        ValueError: when the encoder makes no direction of a sentence, or the same of all.
    """
    sentences = ordinary_sentences()
    shape = (len(sentences), library.card.space.dimension)
    path = _place(library)
    if (kept := _read(path, shape)) is not None:
        return kept
    rows: list[NDArray[np.float32]] = []
    for first in range(0, len(sentences), _TOGETHER):
        rows += encode_directions(library, encoder, sentences[first : first + _TOGETHER])
    made = np.stack(rows).astype(np.float32, copy=False)
    if float(np.ptp(made, axis=0).max()) <= _EQUAL * float(np.abs(made).max()):
        raise ValueError("the encoder makes the same vector of every sentence")
    with suppress(OSError):
        _write(path, made)
    return made


def score_bank(bank: NDArray[np.float32], snapshot: Snapshot) -> BankStatistics:
    """Score the directions `(B, D)` of a bank on every video, which is as good as its best clip.

    Args:
        bank: of the sentences.
        snapshot: holds V >= 1 videos.

    Returns:
        Statistics over V columns.
    """
    clips = max(1, _BLOCK // len(bank))
    offsets: NDArray[np.int64] = snapshot.offsets
    starts = [0]
    while starts[-1] < len(offsets) - 1:
        # As many whole videos as fit, and at least one.
        most = int(offsets[starts[-1]]) + clips
        upto = int(np.searchsorted(offsets, most, side="right")) - 1
        starts.append(max(upto, starts[-1] + 1))
    return BankStatistics.over(
        _best_of_videos(bank, snapshot, first, last) for first, last in pairwise(starts)
    )


def _best_of_videos(
    bank: NDArray[np.float32], snapshot: Snapshot, first: int, last: int
) -> NDArray[np.float32]:
    """Score the bank on the videos `first:last`, `(B, last - first)`."""
    begin, end = int(snapshot.offsets[first]), int(snapshot.offsets[last])
    scores = multiply_rows(bank, snapshot.matrix[begin:end])
    found: NDArray[np.float32] = np.maximum.reduceat(
        scores, snapshot.offsets[first:last] - begin, axis=1
    )
    return found


def _place(library: Library) -> Path:
    """Name the file of the bank by what decides its content: space, readout and sentences."""
    card = library.card
    digest = hashlib.sha256(repr((card.space, card.text_readout)).encode()).hexdigest()[:16]
    return library.path / CACHE / "bank" / f"{digest}-{digest_of(ordinary_sentences())}.npz"


def _read(path: Path, shape: tuple[int, int]) -> NDArray[np.float32] | None:
    """Read a bank of `shape`, None where it is not there, damaged or of another shape."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as held:
            kept: NDArray[np.float32] = held["rows"]
    except DAMAGED_ARCHIVE:
        return None
    sound = kept.shape == shape and kept.dtype == np.float32 and bool(np.isfinite(kept).all())
    return kept if sound else None


def _write(path: Path, rows: NDArray[np.float32]) -> None:
    """Write a bank whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, rows=rows)  # whose readers compare checksums
        Path(name).replace(path)
    except OSError:
        with suppress(OSError):
            Path(name).unlink()
        raise
