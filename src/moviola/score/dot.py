"""One row an item: the dot product, for spaces whose norms mean something."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moviola.core import Clip, Embeddings, Scores, Text
from moviola.score.vectors import notes_for, require_pooled

if TYPE_CHECKING:
    from numpy.typing import NDArray


def dot(texts: Embeddings[Text], clips: Embeddings[Clip], *, unaligned: bool = False) -> Scores:
    """Dot products `(texts, clips)`, computed in float32 whatever is stored.

    Args:
        texts: pooled, one row a text.
        clips: pooled, one row a clip.
        unaligned: compare vectors of two spaces all the same; the scores say so in their notes.

    Raises:
        SpaceMismatchError: when texts and clips live in two spaces.
        ValueError: when an item has several rows, or a product is not finite.
    """
    notes = notes_for(texts, clips, unaligned=unaligned)
    require_pooled(texts, clips, way_out="pool them first")
    return Scores(
        queries=[text.id for text in texts.items],
        gallery=[clip.id for clip in clips.items],
        matrix=_rows(texts) @ _rows(clips).T,
        notes=notes,
    )


def _rows(embeddings: Embeddings[Text] | Embeddings[Clip]) -> NDArray[np.float32]:
    rows = np.empty((len(embeddings), embeddings.space.dimension), np.float32)
    for where, block in embeddings.blocks():
        rows[where] = block
    return rows
