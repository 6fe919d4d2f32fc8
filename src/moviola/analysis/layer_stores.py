"""Open one side of a layer sweep: a store for each layer, all of the same items."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic

import numpy as np

from moviola.core import Clip, Embeddings, Text, display_path
from moviola.core.embeddings import ItemT
from moviola.pipeline.inputs.sources import parse_source
from moviola.store import is_store

_LAYER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Layers(Generic[ItemT]):
    """Open the layers of one side one at a time: together they are large.

    Attributes:
        places: name of a layer to its store; the names are the folders below the one given.
        read: opens one, pooled.
    """

    places: Mapping[str, Path]
    read: Callable[[Path], Embeddings[ItemT]]

    def open(self, name: str) -> Embeddings[ItemT]:
        """Open the embeddings of one layer.

        Raises:
            ValueError: when they have several rows an item and no pooling was named.
            StoreCorruptError: when the store is damaged.
        """
        return self.read(self.places[name])


def text_layers(folder: Path, pooling: str | None) -> Layers[Text]:
    """Find the stores of captions below `folder`, or the one that it is.

    Args:
        folder: what `moviola encode --layers` wrote.
        pooling: how several rows become one, None where every caption has one.

    Raises:
        FileNotFoundError: when there is no store.
    """
    return Layers(_stores(folder), lambda path: parse_source(path).texts(pooling))


def clip_layers(folder: Path, pooling: str | None) -> Layers[Clip]:
    """Find the stores of videos below `folder`, as `text_layers` does."""
    return Layers(_stores(folder), lambda path: parse_source(path).clips(pooling))


def layer_of(embeddings: Embeddings[Clip] | Embeddings[Text]) -> float:
    """Return the number of the layer that a store was read at, else NaN."""
    found = _LAYER.match(embeddings.readout.layer)
    return float(found[0]) if found else np.nan


def layer_pairs(texts: Layers[Text], clips: Layers[Clip], *, cross: bool) -> list[tuple[str, str]]:
    """Pair layers of the texts with layers of the videos: `(text, clip)` names in order.

    A single layer of one side goes with all of the other. Else layers of one name go together, or
    with `cross` every one with every other.

    Raises:
        ValueError: when no names are alike.
    """
    if cross or len(texts.places) == 1 or len(clips.places) == 1:
        return [(text, clip) for clip in clips.places for text in texts.places]
    pairs = [(name, name) for name in clips.places if name in texts.places]
    if not pairs:
        raise ValueError(
            f"no layer of the texts ({', '.join(texts.places)}) is called like one of the videos "
            f"({', '.join(clips.places)}); --cross tries every one with every other"
        )
    return pairs


def _stores(folder: Path) -> dict[str, Path]:
    if is_store(folder):
        return {folder.name: folder}
    found = {
        card.parent.relative_to(folder).as_posix(): card.parent
        for card in sorted(folder.rglob("card.json"))
        if not any(part.endswith(".partial") for part in card.parts)
    }
    if not found:
        raise FileNotFoundError(
            f"{display_path(folder)} holds no stores; write them with moviola encode --layers all"
        )
    return found
