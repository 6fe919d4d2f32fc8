"""Write the embeddings of one run: every item goes to all outputs, and the run can be cut short."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from moviola.core import Clip, Text, display_path
from moviola.pipeline.encode.readouts import Kind, TowerReadings
from moviola.store import (
    Sidecar,
    StoreWriter,
    is_store,
    move_store_into_npy,
    replace_store_by_npy,
)
from moviola.store.adding import Declared
from moviola.store.npy import item_id_of, npy_files

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from moviola.store.card import RowType

Layout = Literal["store", "npy"]
#: Bytes that wait for the disk in all stores together, and in one.
_TOGETHER, _ALONE = 256 << 20, 16 << 20


@dataclass(frozen=True, slots=True)
class _Output:
    """Hold one output of a run: its folder, the writer, and ids of `.npy` that are there already.

    Where `.npy` are added to a folder, the writer gathers them in a store beside it, at `place`.
    """

    folder: Path
    place: Path
    writer: StoreWriter
    there: frozenset[str] = frozenset()

    @property
    def finished_ids(self) -> frozenset[str]:
        return self.there | self.writer.finished_ids

    @property
    def done_ids(self) -> frozenset[str]:
        return self.there.union(self.writer.done_ids)

    def __contains__(self, item_id: str) -> bool:
        return item_id in self.there or item_id in self.writer


class Outputs:
    """Write one store for each reading of a tower, `out` itself where there is one reading.

    Finished stores and folders of `.npy` are added to.

    Args:
        out: the folder to write.
        kind: of the items.
        tower: what is read.
        dtype: of the rows on disk.
        order: gives the key by which the items of the finished stores are sorted.
        layout: `"store"`, or `"npy"` for one file an item.
        segment: how videos are cut; `""` for texts.

    Raises:
        FileExistsError: when `out` holds something else, or embeddings in the other layout.
        SpaceMismatchError: when an earlier run wrote with another model or readout.
        ValueError: when it wrote another kind, dtype, precision or segmentation.
    """

    def __init__(
        self,
        out: Path,
        kind: Kind,
        tower: TowerReadings,
        dtype: RowType,
        order: Callable[[Clip | Text], Any],
        *,
        layout: Layout = "store",
        segment: str = "",
    ) -> None:
        self._order, self._layout = order, layout
        if any(reading.name for reading in tower.readings) and (
            is_store(out) or Sidecar.read(out) is not None
        ):
            raise FileExistsError(
                f"{display_path(out)} holds embeddings of one reading, and several are asked for; "
                f"choose another --out"
            )
        self._outputs: list[_Output] = []
        try:
            for reading in tower.readings:
                folder = out / reading.name
                place, there = _place(folder, layout)
                ours = Sidecar(
                    *(kind, tower.space, reading.readout, dtype),
                    precision=tower.precision(kind),
                    segment=segment,
                )
                if (sidecar := Sidecar.read(folder)) is not None:
                    begun = Declared(display_path(folder), sidecar.card(), "choose another --out")
                    begun.require(ours.card())
                writer = StoreWriter(
                    place,
                    kind=kind,
                    space=ours.space,
                    readout=ours.readout,
                    dtype=dtype,
                    precision=ours.precision,
                    segment=segment,
                    adding=True,
                    part_bytes=min(_ALONE, _TOGETHER // len(tower.readings)),
                )
                self._outputs.append(_Output(folder, place, writer, there))
        except BaseException:
            self._release()
            raise
        # An item counts as done when every output has it; a kill may have left them unequal.
        self.done_ids = frozenset.intersection(*(each.done_ids for each in self._outputs))
        self.finished_ids = frozenset.intersection(*(each.finished_ids for each in self._outputs))

    @property
    def items(self) -> int:
        """Count the items in each output."""
        return min(len(each.done_ids) for each in self._outputs)

    def append(self, item: Clip | Text, rows: Sequence[NDArray[np.float32]]) -> None:
        """Add one item's rows, those of every reading, to each output that does not have it yet."""
        for own, output in zip(rows, self._outputs, strict=True):
            if item.id not in output:
                output.writer.append(item, own)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        del error
        if kind is not None:  # what there is stays for the next run
            self._release()
            return
        try:
            for output in self._outputs:
                output.writer.finish(self._order)
        finally:
            self._release()

    def deliver(self) -> tuple[Path, ...]:
        """Hand over the finished outputs, as one `.npy` an item where that layout was asked for."""
        if self._layout == "npy":
            for output in self._outputs:
                if output.place != output.folder:
                    move_store_into_npy(output.place, output.folder)
                else:
                    replace_store_by_npy(output.folder)
        return tuple(output.folder for output in self._outputs)

    def _release(self) -> None:
        with contextlib.ExitStack() as stack:  # one that fails, or is interrupted, stops none
            for output in self._outputs:
                stack.callback(output.writer.release)


def _beside(folder: Path) -> Path:
    """Name the store in which additions to a folder of `.npy` are gathered."""
    return folder.with_name(folder.name + ".added")


def _place(folder: Path, layout: Layout) -> tuple[Path, frozenset[str]]:
    """Find where a writer writes what goes into `folder`, and the ids of `.npy` in it already.

    Raises:
        FileExistsError: when there are embeddings in the other layout, or of unknown origin.
    """
    shown = display_path(folder)
    sidecar = Sidecar.read(folder)
    if sidecar is not None and layout == "store":
        raise FileExistsError(
            f"{shown} holds one .npy an item; add to it with --layout npy, or choose another --out"
        )
    if layout == "store" or not folder.is_dir() or not any(folder.iterdir()):
        return folder, frozenset()
    if is_store(folder):
        raise FileExistsError(
            f"{shown} is a store; add to it with --layout store, or choose another --out"
        )
    if sidecar is None:
        if any(folder.glob("*.npy")):
            raise FileExistsError(
                f"{shown} holds .npy files of which nothing is known; choose another --out"
            )
        return folder, frozenset()
    if is_store(_beside(folder)):  # a kill came between finishing and moving
        move_store_into_npy(_beside(folder), folder)
    return _beside(folder), frozenset(item_id_of(path) for path in npy_files(folder))
