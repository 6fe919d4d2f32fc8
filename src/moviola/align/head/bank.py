"""Correct hubs by a bank of training captions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

Correction = Literal["csls", "inverted-softmax"]
#: Nearest captions that count under CSLS.
NEIGHBOURS = 10
#: Clips that are compared with the bank at a time.
_BLOCK = 1024


@dataclass(frozen=True, slots=True, eq=False)
class Bank:
    """Hold mapped captions and the correction that they make to the score of a clip.

    Both corrections take from every score of a clip a number that depends on the clip and the bank
    alone, so that one coordinate of the clip carries it and an index of dot products serves it.

    Attributes:
        texts: `(B, dimension)` mapped captions of the fit.
        correction: `csls`, the mean score of the ten nearest captions (Lample et al., "Word
            translation without parallel data", 2018, section 2.3), or `inverted-softmax`, the log
            of the mean likelihood ratio of all (Smith et al., "Offline bilingual word vectors,
            orthogonal transformations and the inverted softmax", 2017, section 2.3).
        strength: how much of that is taken.

    Raises:
        ValueError: when there is no such correction, or the bank is empty.
    """

    texts: Floats
    correction: Correction
    strength: float

    def __post_init__(self) -> None:
        if self.correction not in get_args(Correction) or not len(self.texts):
            raise ValueError(f"no bank of {len(self.texts)} captions corrects {self.correction!r}")

    def taken(self, clips: Floats) -> Floats:
        """Compute the amounts `(n,)` to subtract from every score of clips `(n, dimension)`."""
        parts = [np.zeros(0, np.float32)]
        for first in range(0, len(clips), _BLOCK):
            scores = clips[first : first + _BLOCK] @ self.texts.T
            if self.correction == "csls":
                kept = min(NEIGHBOURS, scores.shape[1])
                parts.append(np.partition(scores, -kept, axis=1)[:, -kept:].mean(axis=1))
            else:
                largest = scores.max(axis=1)
                total = np.exp(scores - largest[:, None]).mean(axis=1)
                parts.append(largest + np.log(total))
        return np.asarray(self.strength * np.concatenate(parts), np.float32)

    def options(self) -> dict[str, Any]:
        """Return the settings beside the captions as JSON values."""
        return {"correction": self.correction, "strength": self.strength}

    @classmethod
    def build(cls, texts: Floats, options: Mapping[str, Any]) -> Self:
        """Build the bank from `texts` and `options`.

        Raises:
            KeyError: when an option is missing.
            ValueError: when there is no such correction.
        """
        return cls(texts, options["correction"], float(options["strength"]))
