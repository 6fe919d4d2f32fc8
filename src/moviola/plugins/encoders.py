"""Encoders by name."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from moviola.core import Encoder, PluginNotFoundError, Precision, WeightsNotFoundError
from moviola.core.paths import display_path
from moviola.plugins.checkpoints import (
    families,
    families_of,
    find_checkpoint,
    split_options,
)
from moviola.plugins.points import ENCODER_GROUP, a, find_point, load_point, not_found, points

_LOG = logging.getLogger(__name__)


def encoder_names() -> list[str]:
    """Return the names of the installed encoders and of known checkpoints that encode, sorted."""
    known = families().values()
    return sorted(
        {
            *points(ENCODER_GROUP),
            *(card.name for each in known if each.loader for card in each.models),
        }
    )


def load_encoder(name: str, **options: Any) -> Encoder:
    """Load the encoder called `name`, in one of the ways that `moviola.plugins` lists.

    The attribute behind a name may be a class or a function that returns an encoder, called with
    the options, or an encoder itself, which takes none. Options in the name are integers where
    they look like it, else text; `options` win over them.

    Raises:
        PluginNotFoundError: when there is no such encoder or it cannot be imported.
        WeightsUnavailableError: when its weights are neither here nor to be had.
        TypeError: when what was found is no encoder, or does not take these options.
    """
    try:
        return _load(name, split_options(name)[0], options)
    except WeightsNotFoundError as error:
        return _load_mirror(name, options, error)


def _load(name: str, bare: str, options: Mapping[str, Any]) -> Encoder:
    """Load what `bare` stands for, with the options of `name`, over which `options` win."""
    found, given = _found(bare)
    options = {**given, **split_options(name)[1], **options}
    if isinstance(found, type) or not isinstance(found, Encoder):
        if not callable(found):
            raise TypeError(f"{name!r} is {a(found)}, neither an encoder nor something to call")
        found = cast("Callable[..., object]", found)(**options)
    elif options:
        raise TypeError(f"{name!r} is a finished encoder and takes no options: {sorted(options)}")
    if not isinstance(found, Encoder):
        raise TypeError(
            f"{name!r} gave {a(found)}, which is no encoder: it lacks {_missing(found)}"
        )
    return found


def _load_mirror(name: str, options: Mapping[str, Any], error: WeightsNotFoundError) -> Encoder:
    """Load a model from its second source, and say so; raise `error` where there is none."""
    checkpoint = find_checkpoint(split_options(name)[0])
    if checkpoint is None or checkpoint.mirror is None:
        raise error
    mirror = checkpoint.mirror
    bare = f"{checkpoint.family}:{mirror.repository}"
    try:
        loaded = _load(name, f"{bare}@{mirror.revision}" if mirror.revision else bare, options)
    except WeightsNotFoundError:
        raise error from None
    _LOG.warning(
        "the hub does not give %s; its weights come from %s at %s instead. Their vectors count as "
        "another space: libraries and heads that were made with the first refuse them",
        checkpoint.model,
        loaded.space.model,
        loaded.space.revision,
    )
    return loaded


def encoder_options(name: str) -> frozenset[str]:
    """Return the names of the options that `load_encoder(name)` takes.

    A finished encoder takes none.

    Raises:
        PluginNotFoundError: when there is no such encoder or it cannot be imported.
    """
    found, _ = _found(split_options(name)[0])
    if not callable(found) or (isinstance(found, Encoder) and not isinstance(found, type)):
        return frozenset()
    return frozenset(inspect.signature(cast("Callable[..., object]", found)).parameters)


def precision_options(name: str, precision: Precision | None) -> dict[str, Precision]:
    """Return the options by which `load_encoder(name)` computes in `precision`; none for None.

    Raises:
        PluginNotFoundError: when there is no such encoder or it cannot be imported.
        ValueError: when the encoder cannot be told.
    """
    if precision is None:
        return {}
    if "precision" not in encoder_options(name):
        raise ValueError(
            f"the model {name!r} takes no precision; leave --precision {precision} out"
        )
    return {"precision": precision}


def require_encoder(name: str) -> None:
    """Refuse a name that is neither installed nor spelled out.

    Raises:
        PluginNotFoundError: with all the names there are.
    """
    try:
        find_point(ENCODER_GROUP, name)
    except PluginNotFoundError:
        if Path(name).expanduser().is_dir():
            raise PluginNotFoundError(_folder_hint(name)) from None
        hint = f" Any checkpoint of {', '.join(families())} can be given as FAMILY:ID."
        raise not_found(ENCODER_GROUP, name, encoder_names(), hint) from None


def _folder_hint(name: str) -> str:
    """Say that a folder is named with its family, and with which."""
    named = [f"--model {family}:{name}" for family in families_of(Path(name).expanduser())]
    shown = display_path(name)
    if not named:
        return (
            f"{shown} is a folder; name it as FAMILY:{shown}, where the family is one of "
            f"{', '.join(families())}"
        )
    return f"{shown} is a folder, whose family is named before it: {' or '.join(named)}"


def _found(name: str) -> tuple[object, dict[str, Any]]:
    """Find what stands behind a name without options, and what its checkpoint gives it."""
    if (checkpoint := find_checkpoint(name)) is not None:
        family = families()[checkpoint.family]
        if not family.loader:
            raise ValueError(
                f"{name!r} is a model that scores texts against clips and makes no vectors; load "
                f"it with load_scorer"
            )
        loader = load_point(ENCODER_GROUP, family.loader)
        return loader, {"model": checkpoint.model, "revision": checkpoint.revision}
    require_encoder(name)
    return load_point(ENCODER_GROUP, name), {}


def _missing(thing: object) -> str:
    wanted = ("space", "sampler", "video_readout", "text_readout", "encode_texts", "encode_videos")
    return ", ".join(name for name in wanted if name not in dir(thing))
