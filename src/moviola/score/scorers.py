"""Choose how texts and clips are scored: by what their space means and how many rows they have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from moviola.core import Clip, Embeddings, Scores, Text
from moviola.score.cosine import cosine
from moviola.score.dot import dot
from moviola.score.maxsim import maxsim

ScoringName = Literal["cosine", "dot", "maxsim"]

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
