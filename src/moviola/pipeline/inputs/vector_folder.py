"""Look up the `.npy` of an item in a folder of them, and check each before it is used."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from moviola.core import display_path
from moviola.datasets.annotations.names import NameIndex
from moviola.store import Sidecar
from moviola.store.card import Kind
from moviola.store.npy import list_npy, open_npy, read_npy_rows


class VectorFolder:
    """List the `.npy` files of a folder by the id of their item, and check each when first used.

    Attributes:
        paths: id to file.
        bad: files that cannot be used, and why.

    Raises:
        ValueError: when there are none, or they are of the other kind.
        StoreCorruptError: when the sidecar cannot be read.
    """

    def __init__(self, folder: Path, kind: Kind) -> None:
        sidecar = Sidecar.read(folder)
        if sidecar is not None and sidecar.kind != kind:
            raise ValueError(f"{display_path(folder)} holds {sidecar.kind}, not {kind}")
        self.paths = list_npy(folder)
        self.bad: dict[Path, str] = {}
        self._names = NameIndex(self.paths)
        self._shapes: dict[Path, str | None] = {}
        self._length = sidecar.space.dimension if sidecar else self._usual_length()

    def find(self, name: str) -> Path | None:
        """Find the file of the item that is called `name`, or None where there is none.

        Raises:
            ValueError: when the names of several files read like it.
        """
        found = self._names.find(name)
        return None if found is None else self.paths[found]

    def shape(self, path: Path) -> str | None:
        """Check one file and write its shape, such as `32x768`; None where it is bad."""
        if path not in self._shapes:
            try:
                self._shapes[path] = self._checked(path)
            except (ValueError, OSError) as error:
                self._shapes[path] = None
                self.bad[path] = str(error)
        return self._shapes[path]

    def unused(self) -> list[str]:
        """List the ids of the files that nothing asked for."""
        return [name for name, path in self.paths.items() if path not in self._shapes]

    def _checked(self, path: Path) -> str:
        shown = display_path(path)
        rows, array = read_npy_rows(path), open_npy(path)
        if not rows.any(axis=1).all():
            raise ValueError(f"{shown} holds a vector of zeros, which has no direction")
        if array.shape[-1] != self._length:
            raise ValueError(
                f"{shown} has vectors of {array.shape[-1]} numbers, the others of {self._length}"
            )
        return "x".join(map(str, array.shape))

    def _usual_length(self) -> int:
        """Count numbers of a vector, as most of the files have them."""
        lengths: Counter[int] = Counter()
        for path in self.paths.values():
            try:
                array = open_npy(path)
            except (ValueError, OSError):
                continue
            if array.ndim in (1, 2):
                lengths[array.shape[-1]] += 1
        return lengths.most_common(1)[0][0] if lengths else 0
