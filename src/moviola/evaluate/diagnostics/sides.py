"""Make one side of a comparison ready to be examined: unusable vectors are marked, not raised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from moviola.core import Clip, Embeddings, Text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.float32]
    Mask = NDArray[np.bool_]

Name = Literal["texts", "videos"]

_STEP = 2048


@dataclass(frozen=True, slots=True)
class Side:
    """Hold the texts or the videos.

    Attributes:
        name: `"texts"` or `"videos"`.
        ids: of the N items.
        norms: `(N,)` lengths of the vectors as they came, NaN where one holds NaN or infinity.
        unit: `(N, D)` unit vectors, zeros where there is no direction.
        usable: `(N,)` whether a vector has a direction.
    """

    name: Name
    ids: Sequence[str]
    norms: NDArray[np.float64]
    unit: Rows
    usable: Mask

    @property
    def one(self) -> str:
        """Name an item."""
        return "caption" if self.name == "texts" else "video"

    @property
    def directed(self) -> Rows:
        """Select the unit vectors `(n, D)` that have a direction."""
        return self.unit if self.usable.all() else self.unit[self.usable]

    def count(self, number: int) -> str:
        """Write that many of them in words."""
        return f"{number:,} {self.one}{'' if number == 1 else 's'}"

    def sample(self, size: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw at most `size` usable items, in order."""
        places = np.flatnonzero(self.usable)
        if len(places) <= size:
            return places
        return np.sort(rng.choice(places, size, replace=False))


def side_of(name: Name, embeddings: Embeddings[Text] | Embeddings[Clip]) -> Side:
    """Make a side of pooled embeddings.

    Raises:
        ValueError: when an item has several rows.
    """
    if not embeddings.is_pooled:
        raise ValueError(f"the {name} have several rows an item; pool them first")
    unit = np.empty((len(embeddings), embeddings.space.dimension), np.float32)
    norms = np.empty(len(embeddings))
    for where, block in embeddings.blocks():
        wide = block.astype(np.float32)
        largest = np.abs(wide).max(axis=1, initial=0.0)
        finite = np.isfinite(largest)
        scale = np.where(finite & (largest > 0), largest, np.float32(1.0))[:, None]
        wide = np.where(finite[:, None], wide, np.float32(0.0)) / scale
        lengths = np.sqrt(np.einsum("ij,ij->i", wide, wide))
        unit[where] = wide / np.where(lengths > 0, lengths, np.float32(1.0))[:, None]
        # Widened first: the length of a row near the end of float32 does not fit into it.
        norms[where] = np.where(finite, lengths.astype(np.float64) * scale[:, 0], np.nan)
    ids = [item.id for item in embeddings.items]
    return Side(name, ids, norms, unit, norms > 0)


def pair_cosines(
    one: Side, rows: NDArray[np.int64], other: Side, columns: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Compute `(P,)` cosines of vectors `rows` of one side with vectors `columns` of the other."""
    cosines = np.empty(len(rows))
    for begin in range(0, len(rows), _STEP):
        part = slice(begin, begin + _STEP)
        both = one.unit[rows[part]], other.unit[columns[part]]
        cosines[part] = np.einsum("ij,ij->i", *both, dtype=np.float64)
    return cosines
