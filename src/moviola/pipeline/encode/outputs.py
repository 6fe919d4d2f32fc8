"""Write the stores of one run: every item goes to all of them, and the run can be cut short."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from moviola.core import Clip, Text, display_path
from moviola.pipeline.encode.readouts import Kind, TowerReadings
from moviola.store import StoreWriter, is_store, replace_store_by_npy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from moviola.store.card import RowType

Layout = Literal["store", "npy"]
#: Bytes that wait for the disk in all stores together, and in one.
_TOGETHER, _ALONE = 256 << 20, 16 << 20


class Outputs:
    """Write one store for each reading of a tower, `out` itself where there is one reading.

    Args:
        out: the folder to write.
        kind: of the items.
        tower: what is read.
        dtype: of the rows on disk.
        order: gives the key by which the items of the finished stores are sorted.

    Raises:
        FileExistsError: when `out` holds finished embeddings already.
        SpaceMismatchError: when an interrupted run wrote with another model or readout.
        ValueError: when it wrote another dtype or precision.
    """

    def __init__(
        self,
        out: Path,
        kind: Kind,
        tower: TowerReadings,
        dtype: RowType,
        order: Callable[[Clip | Text], Any],
    ) -> None:
        self._order = order
        self._folders = [out / reading.name for reading in tower.readings]
        # Stores are finished one after the other once all have everything, so a kill in between
        # leaves some that need nothing more.
        places = [place for place, folder in enumerate(self._folders) if not is_store(folder)]
        if not places or is_store(out):
            raise FileExistsError(
                f"{display_path(out)} holds finished embeddings; choose another --out or delete it"
            )
        self._sinks: list[tuple[int, StoreWriter]] = []
        try:
            for place in places:
                writer = StoreWriter(
                    self._folders[place],
                    kind=kind,
                    space=tower.space,
                    readout=tower.readings[place].readout,
                    dtype=dtype,
                    precision=tower.precision(kind),
                    part_bytes=min(_ALONE, _TOGETHER // len(places)),
                )
                self._sinks.append((place, writer))
        except BaseException:
            self._release()
            raise
        # An item counts as done when every store has it; a kill may have left them unequal.
        self.done_ids = frozenset.intersection(
            *(frozenset(sink.done_ids) for _, sink in self._sinks)
        )

    @property
    def items(self) -> int:
        """Count the items in each store."""
        return min(len(sink.done_ids) for _, sink in self._sinks)

    def append(self, item: Clip | Text, rows: Sequence[NDArray[np.float32]]) -> None:
        """Add one item's rows, those of every reading, to each store that does not have it yet."""
        for place, sink in self._sinks:
            if item.id not in sink.done_ids:
                sink.append(item, rows[place])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        del error
        if kind is not None:  # what there is stays for the next run
            self._release()
            return
        try:
            for _, sink in self._sinks:
                sink.finish(self._order)
        finally:
            self._release()

    def deliver(self, layout: Layout) -> tuple[Path, ...]:
        """Hand over the finished stores, as one `.npy` an item where that layout was asked for."""
        if layout == "npy":
            for folder in self._folders:
                replace_store_by_npy(folder)
        return tuple(self._folders)

    def _release(self) -> None:
        with contextlib.ExitStack() as stack:  # one that fails, or is interrupted, stops none
            for _, sink in self._sinks:
                stack.callback(sink.release)
