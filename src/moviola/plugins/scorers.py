"""Scorers by name: models that look at a text and a clip at once."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, cast

from moviola.core import PairScorer
from moviola.plugins.checkpoints import families, find_checkpoint, split_options
from moviola.plugins.points import SCORER_GROUP, a, load_point, not_found, points

_WANTED = ("space", "sampler", "score_pairs", "score")


def scorer_names() -> list[str]:
    """Return the names of the installed scorers and of the checkpoints that can score, sorted."""
    scoring = [family for family in families().values() if family.scorer]
    known = [model.name for family in scoring for model in family.models]
    return sorted({*points(SCORER_GROUP), *known})


def judges(name: str) -> bool:
    """Tell whether `name` scores pairs of texts and clips, and takes all options of the name.

    A model that encodes as well scores by its vectors where an option is the encoder's alone.

    Raises:
        PluginNotFoundError: when it is the name of a scorer that cannot be imported.
    """
    bare, options = split_options(name)
    checkpoint = find_checkpoint(bare)
    if checkpoint is None:
        return _is_scorer(bare)
    family = families()[checkpoint.family]
    if not family.scorer:
        return False
    if not family.loader:
        return True
    loader = cast("Callable[..., object]", load_point(SCORER_GROUP, family.scorer))
    return options.keys() <= inspect.signature(loader).parameters.keys()


def load_scorer(name: str, **options: Any) -> PairScorer:
    """Load the scorer called `name`, in one of the ways that `moviola.plugins` lists.

    A scorer needs a text and the frames of a clip at once, as the cross-attention of X-CLIP and
    rerankers do: `score_pairs(texts, clips)` gives `(N,)`, `score(texts, clips)` gives `(T, C)`.
    Classes, functions and options are as with `load_encoder`.

    Raises:
        PluginNotFoundError: when there is no such scorer or it cannot be imported.
        WeightsUnavailableError: when its weights are neither here nor to be had.
        ValueError: when the model's family only encodes.
        TypeError: when what was found is no scorer, or does not take these options.
    """
    bare, named = split_options(name)
    found, given = _found(bare)
    options = {**given, **named, **options}
    if isinstance(found, type) or not isinstance(found, PairScorer):
        if not callable(found):
            raise TypeError(f"{name!r} is {a(found)}, neither a scorer nor something to call")
        found = cast("Callable[..., object]", found)(**options)
    elif options:
        raise TypeError(f"{name!r} is a finished scorer and takes no options: {sorted(options)}")
    if not isinstance(found, PairScorer):
        lacking = ", ".join(each for each in _WANTED if each not in dir(found))
        raise TypeError(f"{name!r} gave {a(found)}, which is no scorer: it lacks {lacking}")
    return found


def _is_scorer(name: str) -> bool:
    """Tell whether an installed scorer, or `module:attribute`, scores pairs."""
    if name in points(SCORER_GROUP):
        return True
    if ":" not in name:
        return False
    found = load_point(SCORER_GROUP, name)
    return all(hasattr(found, each) for each in _WANTED)


def _found(name: str) -> tuple[object, dict[str, Any]]:
    """Find what stands behind a name without options, and what its checkpoint gives it."""
    if (checkpoint := find_checkpoint(name)) is not None:
        family = families()[checkpoint.family]
        if not family.scorer:
            raise ValueError(
                f"{name!r} is a model that encodes; these score: {', '.join(scorer_names())}. "
                f"Load it with load_encoder and compare its vectors"
            )
        loader = load_point(SCORER_GROUP, family.scorer)
        return loader, {"model": checkpoint.model, "revision": checkpoint.revision}
    if name not in points(SCORER_GROUP) and ":" not in name:
        raise not_found(SCORER_GROUP, name, scorer_names())
    return load_point(SCORER_GROUP, name), {}
