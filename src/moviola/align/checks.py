"""Check pairs before a fit: refuse unusable ones, warn of doubtful ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moviola.core import Clip, Embeddings, Text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moviola.core.embeddings import ItemT

#: Share of items that are exact copies of another from which on a fit warns.
_COPIES = 0.01
#: Videos with captions below which nothing can be held out.
FEWEST = 10


def check_pairs(
    texts: Embeddings[Text], clips: Embeddings[Clip], owner: NDArray[np.int64]
) -> list[str]:
    """Check texts, clips and their pairing; return a sentence for each warning.

    Args:
        texts: N texts.
        clips: M clips.
        owner: `(N,)` row of its clip for every text.

    Raises:
        ValueError: when a side is constant, a row is not finite, a text belongs to no clip that is
            there, or too few clips have texts.
    """
    if owner.shape != (len(texts),):
        raise ValueError(f"{len(texts)} texts need as many rows of videos, got {owner.shape}")
    if len(owner) and not (owner.min() >= 0 and owner.max() < len(clips)):
        raise ValueError(
            f"texts belong to rows {owner.min()} to {owner.max()} of the videos, and there are "
            f"{len(clips)}, rows 0 to {len(clips) - 1}"
        )
    captioned = len(np.unique(owner))
    if captioned < FEWEST:
        raise ValueError(
            f"{captioned} videos have captions; a fit needs {FEWEST} at least: give more pairs "
            f"with --texts and --videos, or look at --caption-video"
        )
    said = [*_check_side(texts, "texts"), *_check_side(clips, "videos")]
    if bare := len(clips) - captioned:
        said.append(f"{bare:,} of {len(clips):,} videos have no caption and were left out")
    if texts.readout.pooling == "first":
        said.append(
            "texts are pooled by their first row: of a causal language model that is the same for "
            "every text; pool by position_weighted_mean or mean instead"
        )
    return said


def copies(embeddings: Embeddings[ItemT]) -> NDArray[np.int64]:
    """Find for each item the first item with identical rows; return their places `(N,)`."""
    first: dict[bytes, int] = {}
    return np.array(
        [
            first.setdefault(embeddings.rows(number).tobytes(), number)
            for number in range(len(embeddings))
        ],
        np.int64,
    )


def _check_side(embeddings: Embeddings[ItemT], what: str) -> list[str]:
    low, high = np.inf, -np.inf
    for where, block in embeddings.blocks():
        wide = block.astype(np.float32)
        bad = ~np.isfinite(wide).all(axis=1)
        if bad.any():
            row = where.start + int(np.flatnonzero(bad)[0])
            raise ValueError(f"row {row} of the {what} holds NaN or infinity; encode it again")
        low, high = np.minimum(low, wide.min(axis=0)), np.maximum(high, wide.max(axis=0))
    if np.array_equal(low, high):
        raise ValueError(
            f"all {what} have the same vector, from which nothing can be learned: was the first "
            f"token of a causal language model read, which is the same for every input?"
        )
    said: list[str] = []
    flat = int(np.count_nonzero(low == high))
    if flat:
        said.append(f"{flat:,} dimensions of the {what} are constant and were left out")
    share = float((copies(embeddings) != np.arange(len(embeddings))).mean())
    if share > _COPIES:
        said.append(f"{share:.1%} of the {what} are exact copies of another")
    return said
