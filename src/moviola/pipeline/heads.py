"""A trained head by name."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import cast

from moviola.core import Aligner, PluginNotFoundError, display_path

_WANTED = ("space", "align_texts", "align_clips")


def load_head(spec: str) -> Aligner:
    """The head in the folder `spec`, or the one that `module:attribute` names.

    Raises:
        PluginNotFoundError: when it cannot be loaded.
    """
    module, colon, attribute = spec.partition(":")
    if not colon or Path(spec).exists():
        raise PluginNotFoundError(
            f"{display_path(spec)} cannot be loaded: this version of Moviola trains and reads no "
            f"heads; an Aligner of your own can be given as module:attribute"
        )
    try:
        found: object = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise PluginNotFoundError(f"the head {spec!r} cannot be imported: {error}") from error
    made: object = found() if isinstance(found, type) else found
    lacking = [name for name in _WANTED if not hasattr(made, name)]
    if lacking:
        raise PluginNotFoundError(f"{spec!r} is no Aligner: it lacks {', '.join(lacking)}")
    return cast("Aligner", made)
