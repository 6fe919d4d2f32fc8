"""Choose and load the model by which the passages of a library are compared."""

from __future__ import annotations

from functools import lru_cache

from moviola.library import Library
from moviola.retrieve.meaning.chosen_model import ChosenTextModel
from moviola.retrieve.meaning.vectors import TextEncoder, window_vectors
from moviola.retrieve.meaning.windows import text_windows


def choose_text_model(library: Library, model: str) -> None:
    """Remember a model of texts in a library, and embed the passages that are there.

    Only for the one who holds the library's lock.

    Raises:
        MissingExtraError: when sentence-transformers is not installed.
        WeightsUnavailableError: when the weights are neither here nor to be had.
        ValueError: when the model takes no text.
        StorageError: when it cannot be written.
    """
    encoder = _load(model)
    ChosenTextModel(model, encoder.space, encoder.readout).write(library.path)
    embed_passages(library)


def embed_passages(library: Library) -> None:
    """Embed what is new among the passages of a library that has a model of texts."""
    encoder = text_encoder_of(library)
    if encoder is not None:
        window_vectors(library, encoder, text_windows(library.indexed_passages()))


def text_encoder_of(library: Library) -> TextEncoder | None:
    """Load the model of texts of a library, None where it has none.

    Raises:
        SpaceMismatchError: when what is installed under its name is another model.
        StoreCorruptError: when the library's note of it is damaged.
    """
    chosen = ChosenTextModel.read(library.path)
    if chosen is None:
        return None
    encoder = _load(chosen.model)
    chosen.require(encoder)
    return encoder


@lru_cache(maxsize=2)
def _load(model: str) -> TextEncoder:
    """Load a model of texts, and keep it for the next search."""
    from moviola.encode.sentence_transformer.texts import load_sentence_encoder

    return load_sentence_encoder(model)
