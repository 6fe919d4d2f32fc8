"""Define the maps of a head, and the linear ones."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, Self, cast

import numpy as np

from moviola.align.head.bank import Bank
from moviola.core.spaces import Metric

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Offsets = NDArray[np.int64]


class Maps(Protocol):
    """Map standardised rows of texts and of clips into the space that both share.

    Weights are named float32 arrays; what else it takes to build the maps are JSON values.
    Implement the names, inherit nothing, and add the class to `KINDS`.
    """

    @property
    def kind(self) -> str:
        """Return the name under which the maps are found in `KINDS`."""
        ...

    @property
    def dimension(self) -> int:
        """Return the length of a vector in the shared space."""
        ...

    @property
    def metric(self) -> Metric:
        """Return the metric that scores vectors of the shared space."""
        ...

    @property
    def takes_rows(self) -> bool:
        """Return whether an item may have several rows, such as one a token."""
        ...

    def map_texts(self, rows: Floats, offsets: Offsets) -> Floats:
        """Map texts to `(N, dimension)` float32, one vector each.

        Args:
            rows: `(M, D)` float32, standardised with the statistics of the fit.
            offsets: `(N + 1,)`, text i owns rows `offsets[i]:offsets[i + 1]`.
        """
        ...

    def map_clips(self, rows: Floats, offsets: Offsets) -> Floats:
        """Map clips to `(N, dimension)` float32; arguments as of `map_texts`."""
        ...

    def tensors(self) -> dict[str, Floats]:
        """Return the weights by name."""
        ...

    def options(self) -> dict[str, Any]:
        """Return the remaining settings as JSON values."""
        ...

    @classmethod
    def build(cls, tensors: Mapping[str, Floats], options: Mapping[str, Any]) -> Self:
        """Build the maps from `tensors` and `options`.

        Raises:
            KeyError: when something is missing.
            ValueError: when something is left over, or does not fit.
        """
        ...


#: The kinds of maps there are, and where each lives; a module is imported when a head needs it.
KINDS: dict[str, str] = {
    "anchors": "moviola.align.closed_form.asif:AsifMaps",
    "linear": "moviola.align.head.maps:LinearMaps",
    "network": "moviola.align.training.networks:NetworkMaps",
}


def build_maps(kind: str, tensors: Mapping[str, Floats], options: Mapping[str, Any]) -> Maps:
    """Build the maps of a saved head.

    Raises:
        KeyError: when something is missing.
        ValueError: when there is no such kind, or something does not fit.
    """
    if kind not in KINDS:
        raise ValueError(f"no head is of kind {kind!r}; there are {', '.join(KINDS)}")
    module, _, name = KINDS[kind].partition(":")
    found = cast("type[Maps]", getattr(import_module(module), name))
    return found.build(tensors, options)


class LinearMaps:
    """Map by one matrix a side, with penalties on items of their own.

    The score of a text x and a clip y, both standardised, is `(x T) . (y V)` under the metric. With
    `penalty` p it is a dot product from which `sum p u^2` is taken for u = x T and for u = y V:
    two more coordinates carry that, one of texts and one of clips, so that an index of dot products
    serves it in both directions.

    Args:
        texts: T, `(D_t, k)` float32.
        clips: V, `(D_v, k)` float32.
        penalty: p, `(2, k)` float32, of texts and of clips; None for a plain cosine.
        bank: captions against hubs; only with a penalty.
    """

    kind = "linear"
    takes_rows = False

    def __init__(
        self,
        texts: Floats,
        clips: Floats,
        penalty: Floats | None = None,
        bank: Bank | None = None,
    ) -> None:
        if texts.ndim != 2 or clips.ndim != 2 or texts.shape[1] != clips.shape[1]:
            raise ValueError(f"two maps need one width, got {texts.shape} and {clips.shape}")
        if penalty is not None and penalty.shape != (2, texts.shape[1]):
            raise ValueError(f"the penalty must be (2, {texts.shape[1]}), got {penalty.shape}")
        if bank is not None and (penalty is None or bank.texts.shape[1] != penalty.shape[1] + 2):
            raise ValueError("a bank goes with a penalty, and holds vectors of the head's space")
        self._texts, self._clips, self._penalty, self._bank = texts, clips, penalty, bank

    @property
    def metric(self) -> Metric:
        """Return `dot` where a penalty is taken."""
        return "cosine" if self._penalty is None else "dot"

    @property
    def dimension(self) -> int:
        """Return the width, and two more for the penalties."""
        return self._texts.shape[1] + (0 if self._penalty is None else 2)

    def map_texts(self, rows: Floats, offsets: Offsets) -> Floats:
        """Map texts to `(N, dimension)`, as `Maps` describes."""
        del offsets
        mapped = rows @ self._texts
        if self._penalty is None:
            return unit_rows(mapped)
        own = -(mapped * mapped) @ self._penalty[0]
        return np.column_stack([mapped, own, np.ones_like(own)])

    def map_clips(self, rows: Floats, offsets: Offsets) -> Floats:
        """Map clips to `(N, dimension)`, as `Maps` describes."""
        del offsets
        mapped = rows @ self._clips
        if self._penalty is None:
            return unit_rows(mapped)
        own = -(mapped * mapped) @ self._penalty[1]
        found = np.column_stack([mapped, np.ones_like(own), own])
        if self._bank is not None:
            found[:, -1] -= self._bank.taken(found)
        return found

    def with_bank(self, bank: Bank) -> LinearMaps:
        """Return the same maps with a bank."""
        return LinearMaps(self._texts, self._clips, self._penalty, bank)

    def tensors(self) -> dict[str, Floats]:
        """Return the weights by name, as `Maps` describes."""
        found = {"texts": self._texts, "clips": self._clips}
        if self._penalty is not None:
            found["penalty"] = self._penalty
        return found if self._bank is None else found | {"bank": self._bank.texts}

    def options(self) -> dict[str, Any]:
        """Return the remaining settings, as `Maps` describes."""
        return {} if self._bank is None else {"bank": self._bank.options()}

    @classmethod
    def build(cls, tensors: Mapping[str, Floats], options: Mapping[str, Any]) -> Self:
        """Build the maps from tensors and options, as `Maps` describes."""
        left, about = dict(tensors), dict(options)
        bank = None
        if "bank" in left:
            bank = Bank.build(left.pop("bank"), about.pop("bank"))
        made = cls(left.pop("texts"), left.pop("clips"), left.pop("penalty", None), bank)
        if left or about:
            raise ValueError(f"a linear head knows nothing of {', '.join([*left, *about])}")
        return made


def unit_rows(rows: Floats) -> Floats:
    """Scale rows `(n, D)` to unit length; rows of zeros stay."""
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
