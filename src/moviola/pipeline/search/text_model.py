"""Remember and load the model by which the passages of a library are compared."""

from __future__ import annotations

from functools import lru_cache

from moviola.library import Library
from moviola.retrieve.meaning.chosen_model import ChosenTextModel
from moviola.retrieve.meaning.vectors import TextEncoder, window_vectors
from moviola.retrieve.meaning.windows import text_windows


def embed_passages(library: Library, model: str | None = None) -> None:
    """Embed what is new among the passages of a library that has a model of texts.

    Args:
        library: an open library.
        model: what the library remembers from now on; None keeps what it remembers.

    Raises:
        MissingExtraError: when sentence-transformers is not installed.
        WeightsUnavailableError: when the weights are neither here nor to be had.
        ValueError: when the model takes no text.
        StorageError: when it cannot be written.
    """
    if model is not None:
        chosen = load_text_model(model)
        ChosenTextModel(model, chosen.space, chosen.readout).write(library.path)
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
    encoder = load_text_model(chosen.model)
    chosen.require(encoder)
    return encoder


@lru_cache(maxsize=2)
def load_text_model(model: str) -> TextEncoder:
    """Load a model of texts, and keep it for the next search.

    Raises:
        MissingExtraError: when sentence-transformers is not installed.
        WeightsUnavailableError: when the weights are neither here nor to be had.
        ValueError: when the model takes no text.
    """
    from moviola.encode.sentence_transformer.texts import load_sentence_encoder

    return load_sentence_encoder(model)
