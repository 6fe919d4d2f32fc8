"""Channels by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from moviola.core import Channel
from moviola.plugins.checkpoints import split_options
from moviola.plugins.points import CHANNEL_GROUP, a, load_point, points


def channel_names() -> list[str]:
    """Return the names of the installed channels, sorted."""
    return sorted(points(CHANNEL_GROUP))


def load_channel(name: str) -> Channel:
    """Load the channel called `name`, such as `writing` or `speech,model=small`.

    The attribute behind a name may be a class or a function that returns a channel, called with
    the options of the name, or a channel itself, which takes none.

    Raises:
        PluginNotFoundError: when there is no such channel or it cannot be imported.
        MissingExtraError: when what it needs is not installed.
        TypeError: when what was found is no channel, or does not take these options.
    """
    bare, options = split_options(name)
    found = load_point(CHANNEL_GROUP, bare)
    if isinstance(found, type) or not isinstance(found, Channel):
        if not callable(found):
            raise TypeError(f"{name!r} is {a(found)}, neither a channel nor something to call")
        found = cast("Callable[..., object]", found)(**options)
    elif options:
        raise TypeError(f"{name!r} is a finished channel and takes no options: {sorted(options)}")
    if not isinstance(found, Channel):
        raise TypeError(f"{name!r} gave {a(found)}, which has no name, version and passages")
    return found
