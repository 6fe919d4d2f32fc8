"""Tell what may be compared with what: spaces and readouts, each known by a digest."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from moviola.core.errors import SpaceMismatchError

Metric = Literal["cosine", "dot"]


def _digest(kind: str, parts: dict[str, Any]) -> str:
    text = json.dumps([kind, parts], sort_keys=True, ensure_ascii=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _differences(ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    return [
        f"{name} {theirs[name]!r} is not {ours[name]!r}"
        for name in ours
        if ours[name] != theirs[name]
    ]


@dataclass(frozen=True, slots=True)
class Space:
    """The vector space of one model (and head): only vectors of equal spaces may be compared.

    Attributes:
        model: the model's id, `""` for the anonymous space of bare arrays.
        revision: the exact revision of the model.
        weights: a digest of the weights.
        dimension: length of a vector.
        metric: `"cosine"`, or `"dot"` for scores that need norms.
        head: digest of the trained head where there is one.
    """

    model: str
    revision: str
    weights: str
    dimension: int
    metric: Metric = "cosine"
    head: str | None = None

    @classmethod
    def anonymous(cls, dimension: int, metric: Metric = "cosine") -> Self:
        """Return the space of bare arrays, of which only the dimension can be checked."""
        return cls(model="", revision="", weights="", dimension=dimension, metric=metric)

    @property
    def is_anonymous(self) -> bool:
        """Tell whether this is the space of bare arrays."""
        return not self.model

    @property
    def digest(self) -> str:
        """Return 32 hexadecimal digits that equal spaces, and only they, share."""
        return _digest("space", asdict(self))

    def require(self, other: Space, *, what: str) -> None:
        """Refuse `other` (described by `what`) unless it is this space.

        Raises:
            SpaceMismatchError: naming every component that differs.
        """
        if self != other:
            found = "; ".join(_differences(asdict(self), asdict(other)))
            raise SpaceMismatchError(f"{what} lives in another space: {found}")


@dataclass(frozen=True, slots=True)
class Readout:
    """The way one tower of a model was read. Everything that changes a vector is a part of it.

    Attributes:
        preprocessing: resizing, cropping and normalisation of the input.
        sampling: which frames (or which tokens at most) are taken.
        prompt: the words around the input, `""` for none.
        layer: where the vector is read.
        tokens: which positions count.
        pooling: how rows become one, `"none"` where they stay.
    """

    preprocessing: str
    sampling: str = ""
    prompt: str = ""
    layer: str = "output"
    tokens: str = "all"
    pooling: str = "none"

    @property
    def digest(self) -> str:
        """Return 32 hexadecimal digits that equal readouts, and only they, share."""
        return _digest("readout", asdict(self))

    def require(self, other: Readout, *, what: str) -> None:
        """Refuse `other` (described by `what`) unless it is this readout.

        Raises:
            SpaceMismatchError: naming every component that differs.
        """
        if self != other:
            found = "; ".join(_differences(asdict(self), asdict(other)))
            raise SpaceMismatchError(f"{what} was read in another way: {found}")
