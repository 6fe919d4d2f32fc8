"""Load a trained head by name."""

from __future__ import annotations

import importlib
from pathlib import Path

from moviola.core import Aligner, PluginNotFoundError

_WANTED = ("space", "align_texts", "align_clips")


def load_head(spec: str) -> Aligner:
    """Load the head in the folder `spec`, of the hub, or the one that `module:attribute` names.

    Raises:
        FileNotFoundError: when there is no such folder.
        PluginNotFoundError: when an attribute cannot be loaded.
        StoreCorruptError: when the folder is no head, or damaged.
        WeightsUnavailableError: when the hub does not give it.
    """
    module, colon, attribute = spec.partition(":")
    if not colon or Path(spec).exists():
        from moviola.align import Aligner as FittedHead

        return FittedHead.from_pretrained(spec)
    try:
        found: object = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise PluginNotFoundError(f"the head {spec!r} cannot be imported: {error}") from error
    made: object = found() if isinstance(found, type) else found
    if not isinstance(made, Aligner):
        lacking = [name for name in _WANTED if name not in dir(made)]
        raise PluginNotFoundError(f"{spec!r} is no Aligner: it lacks {', '.join(lacking)}")
    return made
