"""Describe plug-ins without importing them."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import EntryPoint
from pathlib import Path

from moviola.plugins.checkpoints import families, known_models
from moviola.plugins.encoders import require_encoder
from moviola.plugins.points import (
    DATASET_GROUP,
    ENCODER_GROUP,
    FAMILY_GROUP,
    find_point,
    points,
)


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """The description of a plug-in, made without importing it.

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


def describe_encoder(name: str) -> PluginInfo:
    """Describe the encoder `name` without importing it.

    Raises:
        PluginNotFoundError: when there is no such encoder.
    """
    if found := known_models().get(name):
        family, card = found
        target = families()[family].loader or families()[family].scorer
        package, version = _origin(points(FAMILY_GROUP)[family])
        return PluginInfo(name, target, package, version, card.summary, card.dimension)
    require_encoder(name)
    return _describe(ENCODER_GROUP, name)


def describe_dataset(name: str) -> PluginInfo:
    """Describe the data set `name` without importing it.

    Raises:
        PluginNotFoundError: when there is no such data set.
    """
    return _describe(DATASET_GROUP, name)


def _describe(group: str, name: str) -> PluginInfo:
    point = find_point(group, name)
    package, version = _origin(point)
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
    """Parse the source of `module`, found without importing it or its parents."""
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


def _origin(point: EntryPoint) -> tuple[str, str]:
    return (point.dist.name, point.dist.version) if point.dist else ("", "")
