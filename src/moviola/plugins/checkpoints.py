"""Model families: the checkpoints that have names, and the names of all others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from moviola.core import KnownModel, ModelFamily
from moviola.plugins.points import FAMILY_GROUP, a, load_point, points

_OPTION = re.compile(r",([a-z_]+)=([^,=]*)$")


@dataclass(frozen=True, slots=True)
class NamedCheckpoint:
    """A checkpoint of a family, as a user named it.

    Attributes:
        family: name of the family.
        model: an id on the hub, or a folder.
        revision: the one asked for, or pinned; None for the main branch.
    """

    family: str
    model: str
    revision: str | None


def families() -> dict[str, ModelFamily]:
    """The installed model families by name, sorted.

    Raises:
        PluginNotFoundError: when one cannot be imported.
        TypeError: when one is no `ModelFamily`.
    """
    found: dict[str, ModelFamily] = {}
    for name in sorted(points(FAMILY_GROUP)):
        family = load_point(FAMILY_GROUP, name)
        if not isinstance(family, ModelFamily):
            raise TypeError(f"the model family {name!r} is {a(family)}, not a ModelFamily")
        found[name] = family
    return found


def known_models() -> dict[str, tuple[str, KnownModel]]:
    """The checkpoints that have a name: the name of their family, and the checkpoint."""
    return {
        model.name: (name, model) for name, family in families().items() for model in family.models
    }


def find_known(name: str) -> tuple[KnownModel, str | None] | None:
    """The known checkpoint called `name` or `name@revision`, and the revision that was named."""
    known = known_models()
    bare, _, revision = name.rpartition("@")
    for word, wanted in ((name, None), (bare, revision)):
        if word in known:
            return known[word][1], wanted
    return None


def find_checkpoint(name: str) -> NamedCheckpoint | None:
    """The checkpoint that `FAMILY:ID`, or the name of a known one, means; None for another name."""
    family, colon, model = name.partition(":")
    if colon and family in points(FAMILY_GROUP):
        bare, at, revision = model.rpartition("@")
        # A folder may have an @ in its name.
        if at and not Path(model).expanduser().is_dir():
            return NamedCheckpoint(family, bare, revision)
        return NamedCheckpoint(family, model, None)
    if (found := find_known(name)) is None:
        return None
    card, revision = found
    source = card.sources[0]
    return NamedCheckpoint(
        known_models()[card.name][0], source.repository, revision or source.revision
    )


def settled_name(name: str, revision: str) -> str:
    """`name` such that it means the same checkpoint from any folder, and after branches moved.

    Args:
        name: as `load_encoder` takes it.
        revision: the exact one that was loaded; that of a folder is its content, not recorded here.
    """
    bare, options = split_options(name)
    if (found := find_checkpoint(bare)) is None:
        return name
    if (folder := Path(found.model).expanduser()).is_dir():
        settled = f"{found.family}:{folder.absolute()}"
    elif found.revision:
        settled = bare
    else:
        settled = f"{bare}@{revision}"
    return "".join([settled, *(f",{word}={value}" for word, value in options.items())])


def split_options(name: str) -> tuple[str, dict[str, int | str]]:
    """`xclip-base-patch32,frames=16` to its name and its options."""
    options: dict[str, int | str] = {}
    while found := _OPTION.search(name):
        word, value = found.groups()
        options = {word: int(value) if re.fullmatch(r"\d+", value) else value, **options}
        name = name[: found.start()]
    return name, options
