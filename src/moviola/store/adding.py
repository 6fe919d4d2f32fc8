"""Add to a finished store: its shards count as parts, and a larger store takes its place.

Until the larger one is whole, readers find the store of before. The one moment between two
renames that a kill may hit is mended by the next writer.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from moviola.core import SpaceMismatchError, StoreCorruptError, display_path
from moviola.store.card import ITEMS, StoreCard, is_store
from moviola.store.items import read_items
from moviola.store.parts import Part
from moviola.store.shards import map_rows, sync

READY = "ready"
_BEFORE = "before"


def adding_folder(folder: Path) -> Path:
    """Name the folder in which additions to the store at `folder` are gathered."""
    return folder.with_name(folder.name + ".adding")


def mend_swap(folder: Path) -> None:
    """Put a store in its place where a kill hit the moment between taking one out and one in."""
    partial = adding_folder(folder)
    if is_store(partial / _BEFORE) and not folder.exists():
        ready = partial / READY
        (ready if is_store(ready) else partial / _BEFORE).rename(folder)
        sync(folder.parent)


def swap_in(partial: Path, folder: Path) -> None:
    """Put the finished `partial/ready` in the place of the store at `folder`.

    Raises:
        OSError: when the disk refuses.
    """
    if is_store(folder):
        before = partial / _BEFORE
        if before.exists():  # of an earlier swap that a kill cut short: `folder` is the later one
            shutil.rmtree(before)
        folder.rename(before)
    elif folder.is_dir():
        folder.rmdir()  # empty, as the writer made sure
    (partial / READY).rename(folder)
    sync(folder.parent)


def finished_parts(folder: Path) -> list[Part]:
    """Read a finished store as parts, one a shard.

    Raises:
        StoreCorruptError: when it is damaged.
    """
    card = StoreCard.read(folder)
    items, counts = read_items(folder / ITEMS, card.kind)
    parts: list[Part] = []
    begin = 0
    for name in card.shards:
        rows, end = len(map_rows(folder / name)), begin
        while rows > 0 and end < len(items):
            rows -= int(counts[end])
            end += 1
        if rows:
            break
        parts.append(Part(items[begin:end], counts[begin:end].tolist(), folder / name))
        begin = end
    if begin != len(items) or len(parts) != len(card.shards):
        raise StoreCorruptError(
            f"{display_path(folder)}: its shards do not fit its items; delete the store and "
            f"encode again"
        )
    return parts


@dataclass(frozen=True, slots=True)
class Declared:
    """Hold what embeddings say of themselves from the start, before anything is counted.

    Attributes:
        shown: how to call them in an error.
        card: their kind, space, readout, dtype, precision and segmentation.
        remedy: what to do where they cannot be gone on with.
    """

    shown: str
    card: StoreCard
    remedy: str

    def require(self, ours: StoreCard) -> None:
        """Refuse to go on with what `ours` declares where these were begun otherwise.

        Raises:
            SpaceMismatchError: when space or readout differ.
            ValueError: when kind, dtype, precision or segmentation differ.
        """
        theirs = self.card
        ours.space.require(theirs.space, what=self.shown)
        try:
            ours.readout.require(theirs.readout, what=self.shown)
        except SpaceMismatchError:
            if theirs.kind == ours.kind:
                raise
        if (theirs.kind, theirs.dtype) != (ours.kind, ours.dtype):
            raise ValueError(
                f"{self.shown} has {theirs.kind} in {theirs.dtype}, not {ours.kind} in "
                f"{ours.dtype}; finish it as it was begun or {self.remedy}"
            )
        for option, begun, now in (
            ("precision", theirs.precision, ours.precision),
            ("segment", theirs.segment, ours.segment),
        ):
            if begun and now and begun != now:
                done = "computed in" if option == "precision" else "cut by"
                raise ValueError(
                    f"{self.shown} was {done} {begun}, and this would go on in {now}; go on with "
                    f"--{option} {begun}, or {self.remedy}"
                )
