"""Encoders and data sets by name: entry points, and `module:attribute` spelled out.

The built-ins come through the same door as anybody's plug-in. Listing and describing read
metadata and source text only; nothing is imported before it is asked for.
"""

from __future__ import annotations

import ast
import difflib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, cast

from moviola.core import Encoder, MoviolaError, PluginNotFoundError, RetrievalDataset

ENCODER_GROUP = "moviola.encoders"
DATASET_GROUP = "moviola.datasets"

_KINDS = {ENCODER_GROUP: "encoder", DATASET_GROUP: "data set"}


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """What can be said of a plug-in without importing it.

    Attributes:
        name: the name it is loaded by.
        target: where it lives, `module:attribute`.
        package: the distribution that brings it, `""` where it was spelled out.
        version: that distribution's version.
        summary: first line of the attribute's docstring, or else of its module's.
        dimension: length of its vectors, where the source says `DIMENSION = 256` (module) or
            `dimension = 256` (class); None otherwise.
    """

    name: str
    target: str
    package: str = ""
    version: str = ""
    summary: str = ""
    dimension: int | None = None


def encoder_names() -> list[str]:
    """The installed encoders' names, sorted."""
    return sorted(_points(ENCODER_GROUP))


def dataset_names() -> list[str]:
    """The installed data sets' names, sorted."""
    return sorted(_points(DATASET_GROUP))


def load_encoder(name: str, **options: Any) -> Encoder:
    """The encoder called `name`: an entry point, or `module:attribute`.

    The attribute may be a class or a function that returns an encoder, called with `options`, or
    an encoder itself, which takes none.

    Raises:
        PluginNotFoundError: when there is no such encoder or it cannot be imported.
        TypeError: when what was found is no encoder, or does not take these options.
    """
    found = _load(ENCODER_GROUP, name)
    if isinstance(found, type) or not isinstance(found, Encoder):
        if not callable(found):
            raise TypeError(f"{name!r} is {_a(found)}, neither an encoder nor something to call")
        found = cast("Callable[..., object]", found)(**options)
    elif options:
        raise TypeError(f"{name!r} is a finished encoder and takes no options: {sorted(options)}")
    if not isinstance(found, Encoder):
        raise TypeError(
            f"{name!r} gave {_a(found)}, which is no encoder: it lacks {_missing(found)}"
        )
    return found


def encoder_options(name: str) -> frozenset[str]:
    """Names of the options that `load_encoder(name)` takes; none where it takes whatever comes.

    Raises:
        PluginNotFoundError: when there is no such encoder or it cannot be imported.
    """
    found = _load(ENCODER_GROUP, name)
    if not callable(found) or (isinstance(found, Encoder) and not isinstance(found, type)):
        return frozenset()
    return frozenset(inspect.signature(cast("Callable[..., object]", found)).parameters)


def load_dataset(name: str, root: Path, split: str) -> RetrievalDataset:
    """Split `split` of the data set called `name` whose files lie under `root`.

    The attribute behind the name is a function `(root, split)`, an object that is called like
    one, or a class of such objects.

    Raises:
        PluginNotFoundError: when there is no such data set or it cannot be imported.
        DatasetError: from the loader, naming the file and the place.
        TypeError: when what was found is no loader.
    """
    loader = _load(DATASET_GROUP, name)
    if isinstance(loader, type):
        loader = cast("Callable[[], object]", loader)()
    if not callable(loader):
        raise TypeError(f"{name!r} is {_a(loader)}, not a function of (root, split)")
    loaded = cast("Callable[[Path, str], object]", loader)(root, split)
    if not isinstance(loaded, RetrievalDataset):
        raise TypeError(f"{name!r} gave {_a(loaded)} instead of a RetrievalDataset")
    return loaded


def describe_encoder(name: str) -> PluginInfo:
    """What can be said of the encoder `name` without importing it.

    Raises:
        PluginNotFoundError: when there is no such encoder.
    """
    return _describe(ENCODER_GROUP, name)


def describe_dataset(name: str) -> PluginInfo:
    """What can be said of the data set `name` without importing it.

    Raises:
        PluginNotFoundError: when there is no such data set.
    """
    return _describe(DATASET_GROUP, name)


def _points(group: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=group)}


def _find(group: str, name: str) -> EntryPoint:
    points = _points(group)
    if name in points:
        return points[name]
    if re.fullmatch(r"[\w.]+:[\w.]+", name):
        return EntryPoint(name=name, value=name, group=group)
    kind = _KINDS[group]
    close = difflib.get_close_matches(name, points, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    known = ", ".join(sorted(points)) or "none"
    raise PluginNotFoundError(
        f"no {kind} is called {name!r}.{hint} Installed: {known}. "
        f"One that is not installed can be given as module:attribute."
    )


def _load(group: str, name: str) -> object:
    point = _find(group, name)
    origin = f" of package {point.dist.name} {point.dist.version}" if point.dist else ""
    who = f"the {_KINDS[group]} {name!r}{origin} ({point.value})"
    try:
        if point.dist is None:
            _let_import_from_here(point.module)
        return cast("object", point.load())
    except MoviolaError:
        raise
    except Exception as error:
        raise PluginNotFoundError(
            f"{who} cannot be imported: {type(error).__name__}: {error}"
        ) from error


def _let_import_from_here(module: str) -> None:
    """Lets a spelled-out module be a file of the current folder, as with `python -m`.

    Last in the search path, so that it shadows nothing that is installed.
    """
    here = str(Path.cwd())
    top = module.split(".", maxsplit=1)[0]
    if here not in sys.path and importlib.util.find_spec(top) is None:
        sys.path.append(here)


def _describe(group: str, name: str) -> PluginInfo:
    point = _find(group, name)
    package, version = (point.dist.name, point.dist.version) if point.dist else ("", "")
    module, _, attribute = point.value.partition(":")
    tree = _source_tree(module.strip())
    if tree is None:
        return PluginInfo(name, point.value, package, version)
    definition = next((node for node in _definitions(tree) if node.name == attribute.strip()), None)
    said = (ast.get_docstring(definition) if definition else None) or ast.get_docstring(tree) or ""
    return PluginInfo(
        name, point.value, package, version, said.split("\n")[0], _dimension(tree, definition)
    )


def _source_tree(module: str) -> ast.Module | None:
    """The parsed source of `module`, found without importing it or its parents."""
    parts = module.split(".")
    spec = _top_level_spec(parts[0])
    for depth in range(2, len(parts) + 1):
        if spec is None or spec.submodule_search_locations is None:
            return None
        dotted = ".".join(parts[:depth])
        spec = PathFinder.find_spec(dotted, list(spec.submodule_search_locations))
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    try:
        return ast.parse(Path(spec.origin).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None


def _top_level_spec(name: str) -> ModuleSpec | None:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    return spec or PathFinder.find_spec(name, [str(Path.cwd())])


def _definitions(tree: ast.Module) -> Iterator[ast.ClassDef | ast.FunctionDef]:
    return (node for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef))


def _dimension(tree: ast.Module, definition: ast.ClassDef | ast.FunctionDef | None) -> int | None:
    scopes: list[tuple[str, list[ast.stmt]]] = [("DIMENSION", tree.body)]
    if isinstance(definition, ast.ClassDef):
        scopes.insert(0, ("dimension", definition.body))
    for wanted, body in scopes:
        for statement in body:
            target, value = _assignment(statement)
            if target == wanted and isinstance(value, ast.Constant) and type(value.value) is int:
                return value.value
    return None


def _assignment(statement: ast.stmt) -> tuple[str | None, ast.expr | None]:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target: ast.expr = statement.targets[0]
    elif isinstance(statement, ast.AnnAssign):
        target = statement.target
    else:
        return None, None
    return (target.id if isinstance(target, ast.Name) else None), statement.value


def _a(thing: object) -> str:
    return f"a {type(thing).__name__}"


def _missing(thing: object) -> str:
    wanted = ("space", "sampler", "video_readout", "text_readout", "encode_texts", "encode_videos")
    return ", ".join(name for name in wanted if not hasattr(thing, name))
