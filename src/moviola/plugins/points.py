"""Entry points: found by name, loaded when asked for."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from moviola.core import MoviolaError, PluginNotFoundError
from moviola.core.attributes import is_attribute, let_import_from_here

ENCODER_GROUP = "moviola.encoders"
FAMILY_GROUP = "moviola.families"
SCORER_GROUP = "moviola.scorers"
DATASET_GROUP = "moviola.datasets"
CHANNEL_GROUP = "moviola.channels"

_KINDS = {
    ENCODER_GROUP: "encoder",
    FAMILY_GROUP: "model family",
    SCORER_GROUP: "scorer",
    DATASET_GROUP: "data set",
    CHANNEL_GROUP: "channel",
}


def points(group: str) -> dict[str, EntryPoint]:
    """Return the entry points of a group by their names."""
    return {point.name: point for point in entry_points(group=group)}


def find_point(group: str, name: str) -> EntryPoint:
    """Find the entry point called `name`, or the one that `module:attribute` spells out.

    Raises:
        PluginNotFoundError: when there is none, with the names that there are.
    """
    installed = points(group)
    if name in installed:
        return installed[name]
    if is_attribute(name):
        return EntryPoint(name=name, value=name, group=group)
    raise not_found(group, name, installed)


def not_found(group: str, name: str, known: Iterable[str], hint: str = "") -> PluginNotFoundError:
    """Make the error that says what is called nearly so, and what there is."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    nearly = f" Did you mean {close[0]!r}?" if close else ""
    return PluginNotFoundError(
        f"no {_KINDS[group]} is called {name!r}.{nearly} Installed: {', '.join(names) or 'none'}."
        f"{hint} One that is not installed can be given as module:attribute."
    )


def load_point(group: str, name: str) -> object:
    """Load what the entry point called `name`, or `module:attribute`, stands for.

    Raises:
        PluginNotFoundError: when there is none, or it cannot be imported.
    """
    point = find_point(group, name)
    origin = f" of package {point.dist.name} {point.dist.version}" if point.dist else ""
    who = f"the {_KINDS[group]} {name!r}{origin} ({point.value})"
    try:
        if point.dist is None:
            let_import_from_here(point.module)
        return cast("object", point.load())
    except MoviolaError:
        raise
    except Exception as error:
        raise PluginNotFoundError(
            f"{who} cannot be imported: {type(error).__name__}: {error}"
        ) from error


def a(thing: object) -> str:
    """Name a thing by its type, for messages."""
    return f"a {type(thing).__name__}"
