"""Data sets by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

from moviola.core import RetrievalDataset
from moviola.plugins.points import DATASET_GROUP, a, load_point, points


def dataset_names() -> list[str]:
    """Return the installed data sets' names, sorted."""
    return sorted(points(DATASET_GROUP))


def guess_dataset(root: Path) -> str:
    """Return the name of the data set whose layout lies at `root`.

    A file is a `table`, a folder with annotations in MSR-VTT's layout `msrvtt`, another a `folder`.
    """
    if root.is_file():
        return "table"
    has_layout = any(root.glob("annotations.json")) or any(root.glob("*videodatainfo*.json"))
    return "msrvtt" if has_layout else "folder"


def load_dataset(name: str, root: Path, split: str) -> RetrievalDataset:
    """Load split `split` of the data set called `name` whose files lie under `root`.

    The attribute behind the name is a function `(root, split)`, an object that is called like
    one, or a class of such objects.

    Raises:
        PluginNotFoundError: when there is no such data set or it cannot be imported.
        DatasetError: from the loader, naming the file and the place.
        TypeError: when what was found is no loader.
    """
    loader = load_point(DATASET_GROUP, name)
    if isinstance(loader, type):
        loader = cast("Callable[[], object]", loader)()
    if not callable(loader):
        raise TypeError(f"{name!r} is {a(loader)}, not a function of (root, split)")
    loaded = cast("Callable[[Path, str], object]", loader)(root, split)
    if not isinstance(loaded, RetrievalDataset):
        raise TypeError(f"{name!r} gave {a(loaded)} instead of a RetrievalDataset")
    return loaded
