"""Load what `module:attribute` spells out: measures, corrections, poolings and plug-ins."""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from functools import reduce
from pathlib import Path

from moviola.core.errors import MoviolaError, PluginNotFoundError

_SPELLED_OUT = re.compile(r"[\w.]+:[\w.]+")


def is_attribute(name: str) -> bool:
    """Tell whether `name` is spelled like `module:attribute`."""
    return _SPELLED_OUT.fullmatch(name) is not None


def load_attribute(name: str, what: str) -> object:
    """Import the attribute that `module:attribute` names; the module may be a file right here.

    Args:
        name: such as `mymodule:LogR`.
        what: what is looked for, such as `measure`, for the message.

    Raises:
        PluginNotFoundError: when the module cannot be imported or lacks the attribute.
    """
    module, _, attribute = name.partition(":")
    let_import_from_here(module)
    try:
        return reduce(getattr, attribute.split("."), importlib.import_module(module))
    except MoviolaError:
        raise
    except Exception as error:
        raise PluginNotFoundError(
            f"the {what} {name!r} cannot be imported: {type(error).__name__}: {error}"
        ) from error


def let_import_from_here(module: str) -> None:
    """Let a spelled-out module be a file of the current folder, as with `python -m`.

    Last in the search path, so that it shadows nothing that is installed.
    """
    here = str(Path.cwd())
    top = module.split(".", maxsplit=1)[0]
    if here not in sys.path and importlib.util.find_spec(top) is None:
        sys.path.append(here)
