"""Measure what bfloat16 does to the texts of a language model before its vectors are used."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
import torch

from moviola.core.json_text import decode_json
from moviola.core.paths import cache_path

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from moviola.core.abilities import Precision, TowerName
    from moviola.core.spaces import Readout, Space

LEAST = 0.999
"""Least cosine to float32 at which vectors of texts in bfloat16 stand for those in float32."""
PROBES = (
    "a dog runs after a ball",
    "two people are talking in a kitchen at night",
    "the crowd cheers as the red car crosses the line; then it rains",
    "7 %",
)
"""Texts that both precisions encode: a short one, sentences, and one of signs."""
_LOG = logging.getLogger(__name__)


class TextEncoder(Protocol):
    """The parts of an encoder that are measured."""

    @property
    def space(self) -> Space:
        """Return the space of its vectors."""
        ...

    @property
    def text_readout(self) -> Readout:
        """Tell how texts are read."""
        ...

    def precision(self, tower: TowerName) -> Precision:
        """Return the precision of a tower."""
        ...

    def encode_texts(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """Encode each text to rows `(n, D)`."""
        ...


EncoderT = TypeVar("EncoderT", bound=TextEncoder)


def load_measured(
    load: Callable[[Precision | None], EncoderT], precision: Precision | None
) -> EncoderT:
    """Load an encoder, in bfloat16 only where that was measured to keep its vectors of texts.

    A few fixed texts are encoded in bfloat16 and in float32, once for these weights and this way
    of reading them; the lowest cosine stays in the user's cache. Below 0.999 an encoder that was
    asked for no precision computes in float32, and one that was asked for bfloat16 says the cosine.

    Args:
        load: makes the encoder in a precision; None for that of the device.
        precision: the one asked for; None for none.
    """
    encoder = load(precision)
    if encoder.precision("texts") == "float32":
        return encoder
    name = encoder.space.model
    try:
        cosine = _cosine(encoder, load)
    except torch.OutOfMemoryError:
        _LOG.warning(
            "%s computes in bfloat16; float32 does not fit into memory, so that what this does to "
            "its vectors was not measured",
            name,
        )
        return encoder
    if cosine >= LEAST:
        return encoder
    if precision is None:
        _LOG.warning(
            "%s computes in float32: bfloat16 would move its vectors of texts (cosine %.4f)",
            *(name, cosine),
        )
        return load("float32")
    _LOG.warning(
        "bfloat16 moves the vectors of texts of %s (cosine %.4f to float32, below %s); "
        "--precision float32 does not",
        *(name, cosine, LEAST),
    )
    return encoder


def _cosine(encoder: EncoderT, load: Callable[[Precision | None], EncoderT]) -> float:
    """Find the lowest cosine of a row in bfloat16 to the same in float32, measured once."""
    path = _place(encoder)
    try:
        return float(decode_json(path.read_bytes())["cosine"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # not measured yet, or not readably
    rows = zip(encoder.encode_texts(PROBES), load("float32").encode_texts(PROBES), strict=True)
    found = min(_lowest(fast, exact) for fast, exact in rows)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"model": encoder.space.model, "cosine": found}))
    except OSError:
        _LOG.info("%s cannot be written; the precision is measured again next time", path)
    return found


def _lowest(rows: NDArray[np.float32], wanted: NDArray[np.float32]) -> float:
    """Find the lowest cosine of rows `(n, D)` to those of the same place."""
    lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(wanted, axis=1)
    return float(((rows * wanted).sum(axis=1) / np.maximum(lengths, 1e-12)).min())


def _place(encoder: TextEncoder) -> Path:
    """Return the file of the cache for these weights, and this way of reading texts."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    told = f"{encoder.space} {encoder.text_readout} {device}"
    digest = hashlib.blake2b(told.encode(), digest_size=16).hexdigest()
    return cache_path() / "precision" / f"{digest}.json"
