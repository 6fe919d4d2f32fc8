"""Keep the segments of a library's passages in files, which can be deleted at any time."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from moviola.library.storage.state_files import DAMAGED_ARCHIVE
from moviola.library.text_index.segment import Segment

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

#: Raised whenever text is cut into tokens in another way, so that older files are made again.
TOKENS_VERSION = 1
# Segments are merged with a new one up to this many times its size.
_MERGE_RATIO = 3
# A segment is written anew where more of it than this is gone.
_MOST_DEAD = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class KeyedSegment:
    """A segment, and the keys `(n,)` of its texts."""

    keys: NDArray[np.uint64]
    segment: Segment


def passage_keys(ids: pa.ChunkedArray) -> NDArray[np.uint64]:
    """Return the keys `(n,)` of passages: the first 16 of the hexadecimal digits of their ids."""
    import pyarrow as pa

    fixed = ids.cast(pa.binary(32)).combine_chunks()
    first = 32 * fixed.offset
    digits = np.frombuffer(fixed.buffers()[1], np.uint8)[first : first + 32 * len(fixed)]
    digits = digits.reshape(-1, 32)[:, :16]
    values = (digits & 15) + 9 * (digits >> 6)  # 0 to 9, and a to f in either case
    pairs = (values[:, 0::2] << 4 | values[:, 1::2]).astype(np.uint8)
    return np.ascontiguousarray(pairs).view(">u8").reshape(-1).astype(np.uint64)


class SegmentFiles:
    """Hold the segments in one folder; what cannot be read there is as good as absent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[str, KeyedSegment] = {}

    def read(self) -> list[KeyedSegment]:
        """Read all segments, the largest first; those that were read before are not read again."""
        found: dict[str, KeyedSegment] = {}
        for path in sorted(self.folder.glob(f"{TOKENS_VERSION}-*.npz")):
            known = self._known.get(path.name) or _read(path)
            if known is not None:
                found[path.name] = known
        self._known = found
        return sorted(found.values(), key=lambda each: -len(each.keys))

    def refresh(self, keys: NDArray[np.uint64], texts: Sequence[str]) -> None:
        """Bring the files up to the passages that are there: index new ones, merge small segments.

        Only for the one who holds the library's lock.

        Args:
            keys: `(n,)` of all passages.
            texts: of all passages.

        Raises:
            OSError: when nothing can be written.
        """
        old = self.read()
        alive, fresh = match_keys([each.keys for each in old], keys)
        kept = [each for each, mask in zip(old, alive, strict=True) if _is_worth(mask)]
        again = [pair for pair in zip(old, alive, strict=True) if not _is_worth(pair[1])]
        if not fresh.size and not again:
            return
        new = KeyedSegment(keys[fresh], Segment.of([texts[int(at)] for at in fresh]))
        merging = [(new, np.ones(fresh.size, np.bool_)), *again]
        while kept and len(kept[-1].keys) <= _MERGE_RATIO * sum(int(m.sum()) for _, m in merging):
            last = kept.pop()
            merging.append((last, alive[old.index(last)]))
        made = _merged(merging)
        names = [name for name, each in self._known.items() if each in kept]
        if len(made.keys):
            names.append(_write(self.folder, made))
        for path in self.folder.glob("*.npz"):
            if path.name not in names:
                path.unlink(missing_ok=True)


def match_keys(
    segments: Sequence[NDArray[np.uint64]], keys: NDArray[np.uint64]
) -> tuple[list[NDArray[np.bool_]], NDArray[np.intp]]:
    """Match the texts of segments with the passages that are there.

    Returns:
        For each segment which of its texts count, and which of `keys` no segment holds. What
        several segments hold counts in the first of them.
    """
    order = np.argsort(keys, kind="stable")
    left = keys[order]
    taken = np.zeros(keys.size, np.bool_)
    alive: list[NDArray[np.bool_]] = []
    for own in segments:
        at = np.minimum(np.searchsorted(left, own), max(left.size - 1, 0))
        here = left[at] == own if left.size else np.zeros(own.size, np.bool_)
        here &= ~taken[at] if left.size else here
        taken[at[here]] = True
        alive.append(here)
    return alive, np.sort(order[~taken])


def _is_worth(alive: NDArray[np.bool_]) -> bool:
    """Tell whether most of a segment is there still."""
    return alive.size > 0 and float(alive.mean()) >= 1 - _MOST_DEAD


def _merged(parts: Sequence[tuple[KeyedSegment, NDArray[np.bool_]]]) -> KeyedSegment:
    """Merge the texts of segments that count to one segment."""
    keys = np.concatenate([each.keys[mask] for each, mask in parts])
    segment = Segment.merged([each.segment for each, _ in parts], [mask for _, mask in parts])
    return KeyedSegment(keys, segment)


def _read(path: Path) -> KeyedSegment | None:
    """Read a file, None where it is damaged."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
            found = KeyedSegment(arrays["keys"], Segment.from_arrays(arrays))
    except DAMAGED_ARCHIVE:
        return None
    return found if found.segment.is_whole and len(found.keys) == len(found.segment) else None


def _write(folder: Path, kept: KeyedSegment) -> str:
    """Write a segment whole or not at all; return the name of its file."""
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.blake2b(kept.keys.tobytes(), digest_size=12).hexdigest()
    name = f"{TOKENS_VERSION}-{digest}.npz"
    handle, part = tempfile.mkstemp(dir=folder, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, allow_pickle=False, keys=kept.keys, **kept.segment.arrays())
        Path(part).replace(folder / name)
    except OSError:
        with suppress(OSError):
            Path(part).unlink()
        raise
    return name
