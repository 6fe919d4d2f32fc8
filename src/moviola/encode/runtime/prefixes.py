"""Cut vectors to the prefixes that Matryoshka training made vectors of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn import functional

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor


def prefix_length(dimension: int | str, width: int) -> int:
    """Return the length of a prefix of `width` numbers.

    Raises:
        ValueError: when it is none.
    """
    if not isinstance(dimension, int) or not 1 <= dimension <= width:
        raise ValueError(f"the dimension is 1 to {width}, not {dimension!r}")
    return dimension


def unit_prefixes(states: Tensor, length: int) -> list[NDArray[np.float32]]:
    """Cut states `(N, D)` to `N` rows `(1, length)` of unit length (Kusupati et al., 2022)."""
    whole = functional.normalize(states, dim=-1)
    rows = functional.normalize(whole[:, :length], dim=-1).cpu().numpy()
    return [row[None] for row in rows]
