"""Score one row an item by cosine or dot product, and choose how two sides are scored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from moviola.core import Clip, Embeddings, Scores, Text
from moviola.score.maxsim import maxsim
from moviola.score.vectors import notes_for, plain_rows, require_pooled, unit_rows

ScoringName = Literal["cosine", "dot", "maxsim"]


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


def dot(texts: Embeddings[Text], clips: Embeddings[Clip], *, unaligned: bool = False) -> Scores:
    """Compute dot products `(texts, clips)`, in float32 whatever is stored.

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
        matrix=plain_rows(texts) @ plain_rows(clips).T,
        notes=notes,
    )


_FUNCTIONS: dict[ScoringName, Callable[..., Scores]] = {
    "cosine": cosine,
    "dot": dot,
    "maxsim": maxsim,
}


@dataclass(frozen=True, slots=True)
class PairScorer:
    """Score texts against clips in the one way that suits their vectors.

    Attributes:
        name: of the way, as reports show it.
    """

    name: ScoringName

    def __call__(
        self, texts: Embeddings[Text], clips: Embeddings[Clip], *, unaligned: bool = False
    ) -> Scores:
        """Score `(texts, clips)`, float32.

        Raises:
            SpaceMismatchError: when texts and clips live in two spaces that are not `unaligned`.
            ValueError: when a row cannot be scored, or `dot` meets items of several rows.
        """
        return _FUNCTIONS[self.name](texts, clips, unaligned=unaligned)


def scorer_for(texts: Embeddings[Text], clips: Embeddings[Clip]) -> PairScorer:
    """Choose the scorer of two sides.

    `dot` where the space of both means dot products; else the cosine where every item has one row,
    and MaxSim where one has several.
    """
    if texts.space.metric == clips.space.metric == "dot":
        return PairScorer("dot")
    return PairScorer("cosine" if texts.is_pooled and clips.is_pooled else "maxsim")
