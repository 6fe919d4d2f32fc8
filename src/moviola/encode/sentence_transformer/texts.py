"""Encode texts alone: queries and passages, by any model of sentence-transformers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from moviola.core.spaces import Readout, Space
from moviola.encode.sentence_transformer.encoder import (
    DOCUMENT,
    QUERY,
    chosen_prompt,
    load_model,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer

_TOGETHER = 64


class SentenceEncoder:
    """Texts as unit vectors of one space: queries, and passages that answer them.

    Args:
        model: a model that takes text.
        space: the space of exactly these weights.
        settings: a digest of what else decides about vectors.
    """

    def __init__(self, model: SentenceTransformer, space: Space, settings: str) -> None:
        self._model = model.eval()
        self._space = space
        self._settings = f"settings:{settings}"
        self._query, self._document = chosen_prompt(model, QUERY), chosen_prompt(model, DOCUMENT)

    @property
    def space(self) -> Space:
        """Return the space of exactly these weights."""
        return self._space

    @property
    def readout(self) -> Readout:
        """Tell how passages are read."""
        return Readout(self._settings, prompt=self._document, pooling="the model's")

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode queries to `(n, D)` float32 rows of unit length."""
        return self._encoded(self._model.encode_query, texts, self._query)

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode passages to `(n, D)` float32 rows of unit length."""
        return self._encoded(self._model.encode_document, texts, self._document)

    def _encoded(self, encode: Any, texts: Sequence[str], prompt: str) -> NDArray[np.float32]:
        if not texts:
            return np.zeros((0, self._space.dimension), np.float32)
        # Words of a command line may hold bytes that are no text.
        clean = [text.encode(errors="replace").decode() for text in texts]
        rows = encode(
            clean,
            prompt=prompt,
            batch_size=_TOGETHER,
            normalize_embeddings=True,
            show_progress_bar=False,
        )
        return np.asarray(rows, np.float32)


def load_sentence_encoder(model: str) -> SentenceEncoder:
    """Load a model of sentence-transformers for texts, by its id on the hub or its folder.

    Raises:
        MissingExtraError: when sentence-transformers is not installed.
        WeightsUnavailableError: when the weights are neither here nor to be had.
        ValueError: when it takes no text, or needs code of its own.
    """
    loaded, space, settings = load_model(model, None, None, None)
    return SentenceEncoder(loaded, space, settings)
