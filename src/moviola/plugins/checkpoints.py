"""Model families: the checkpoints that have names, and the names of all others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from moviola.core import KnownModel, ModelFamily, Source
from moviola.core.json_text import decode_json
from moviola.plugins.points import FAMILY_GROUP, a, load_point, points

_OPTION = re.compile(r"([a-z_]+)=(.*)", re.DOTALL)
_COMMA = re.compile(r"(?<!\\),")
"""A comma that separates; one with a backslash before it belongs to a name."""


@dataclass(frozen=True, slots=True)
class NamedCheckpoint:
    """A checkpoint of a family, as a user named it.

    Attributes:
        family: name of the family.
        model: an id on the hub, or a folder.
        revision: the one asked for, or pinned; None for the main branch.
        mirror: where the model is fetched from when the hub does not give it.
    """

    family: str
    model: str
    revision: str | None
    mirror: Source | None = None


def families() -> dict[str, ModelFamily]:
    """Return the installed model families by name, sorted.

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


def families_of(folder: Path) -> list[str]:
    """Return the families of which the checkpoint, or the adapter, in `folder` may be.

    The type of model in its `config.json` tells them, or the names of its files where a family has
    names of its own; a model that `moviola finetune` wrote is of the family it was trained from.
    """
    told = _read(folder / "finetune.json").get("model")
    if isinstance(told, str) and (found := find_checkpoint(split_options(told)[0])) is not None:
        return [found.family]
    kind = _read(folder / "config.json").get("model_type")
    return [
        name
        for name, family in families().items()
        if kind in family.types
        or ((own := _own_files(family)) and all((folder / file).is_file() for file in own))
    ]


def _own_files(family: ModelFamily) -> list[str]:
    """Return the names of files that checkpoints of a family have and those of others do not."""
    plain = [name for name in family.patterns if "*" not in name]
    return [name for name in plain if name not in ("config.json", "model.safetensors")]


def _read(path: Path) -> dict[str, object]:
    """Read a JSON object; an empty one where there is none."""
    try:
        found = decode_json(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return cast("dict[str, object]", found) if isinstance(found, dict) else {}


def known_models() -> dict[str, tuple[str, KnownModel]]:
    """Return the checkpoints that have a name: the name of their family, and the checkpoint."""
    return {
        model.name: (name, model) for name, family in families().items() for model in family.models
    }


def find_known(name: str) -> tuple[KnownModel, str | None] | None:
    """Find the known checkpoint called `name` or `name@revision`, and the revision named."""
    known = known_models()
    bare, _, revision = name.rpartition("@")
    for word, wanted in ((name, None), (bare, revision)):
        if word in known:
            return known[word][1], wanted
    return None


def find_checkpoint(name: str) -> NamedCheckpoint | None:
    """Find the checkpoint that `FAMILY:ID` or a known name means; None for another name."""
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
        known_models()[card.name][0],
        source.repository,
        revision or source.revision,
        None if revision else source.mirror,
    )


def settled_name(name: str, revision: str) -> str:
    """Spell `name` so that it means the same checkpoint from any folder, at any time.

    Args:
        name: as `load_encoder` takes it.
        revision: the exact one that was loaded; that of a folder is its content, not recorded here.
    """
    bare, options = split_options(name)
    if (found := find_checkpoint(bare)) is None:
        return name
    if (folder := Path(found.model).expanduser()).is_dir():
        settled = f"{found.family}:{folder.absolute()}"
    elif found.mirror is not None and revision != found.revision:
        settled = f"{found.family}:{found.mirror.repository}@{revision}"
    elif found.revision:
        settled = bare
    else:
        settled = f"{bare}@{revision}"
    return join_options(settled, options)


def split_options(name: str) -> tuple[str, dict[str, int | str]]:
    r"""Split `xclip-base-patch32,frames=16` into its name and its options.

    A comma that belongs to a folder's name is written `\,`, as in `two-tower:cut\,dry,frames=16`;
    a comma before anything but `option=value` is a part of the name with or without it.
    """
    parts = _COMMA.split(name)
    options: dict[str, int | str] = {}
    while len(parts) > 1 and (found := _OPTION.fullmatch(parts[-1])):
        word, value = found[1], _unescaped(found[2])
        options = {word: int(value) if re.fullmatch(r"\d+", value) else value, **options}
        parts.pop()
    return _unescaped(",".join(parts)), options


def join_options(bare: str, options: Mapping[str, int | str]) -> str:
    """Join a name and its options, so that `split_options` gives them back."""
    escaped = [f"{word}={_escaped(str(value))}" for word, value in options.items()]
    return ",".join([_escaped(bare), *escaped])


def _escaped(text: str) -> str:
    return text.replace(",", "\\,")


def _unescaped(text: str) -> str:
    return text.replace("\\,", ",")
