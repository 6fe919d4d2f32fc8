"""Score one row an item by the cosine of the angle between text and clip."""

from __future__ import annotations

from moviola.core import Clip, Embeddings, Scores, Text
from moviola.score.vectors import notes_for, require_pooled, unit_rows


def cosine(texts: Embeddings[Text], clips: Embeddings[Clip], *, unaligned: bool = False) -> Scores:
    """Compute cosine similarities `(texts, clips)`, in float32 whatever is stored.

    Args:
        texts: pooled, one row a text.
        clips: pooled, one row a clip.
        unaligned: compare vectors of two spaces all the same; the scores say so in their notes.

    Raises:
        SpaceMismatchError: when texts and clips live in two spaces.
        ValueError: when an item has several rows, or a row is zero, NaN or infinite.
    """
    notes = notes_for(texts, clips, unaligned=unaligned)
    require_pooled(texts, clips, way_out="pool them first, or score them with maxsim")
    return Scores(
        queries=[text.id for text in texts.items],
        gallery=[clip.id for clip in clips.items],
        matrix=unit_rows(texts) @ unit_rows(clips).T,
        notes=notes,
    )
