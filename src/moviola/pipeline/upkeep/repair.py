"""Repair a library: put back what can be put back, encode again what is damaged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moviola.library import CACHE, Library, Problem, writer_lock
from moviola.library.storage.rescuing import rescue
from moviola.library.storage.whole_digests import WHOLE_DIGESTS
from moviola.pipeline.index.index import index
from moviola.pipeline.index.report import IndexStep
from moviola.pipeline.upkeep.verify import verify


@dataclass(frozen=True, slots=True)
class Repair:
    """Say what became of a damaged library.

    Attributes:
        mended: problems of videos that were encoded again.
        lost: problems of what could not be made again, each with the file that it was.
        left: problems that are there still.
    """

    mended: tuple[Problem, ...]
    lost: tuple[Problem, ...]
    left: tuple[Problem, ...]

    @property
    def is_whole(self) -> bool:
        """Test whether the library is as whole as it was before the damage."""
        return not self.lost and not self.left


def repair(path: Path, *, on_progress: Callable[[IndexStep], Any] = lambda _: None) -> Repair:
    """Make a library sound again.

    Single flipped bits are put back from the checksums, lists of rows and the card from their
    copies. Rows that stay damaged are taken out, and only their videos are encoded again from
    their files. What can be read and is what was written is kept.

    Args:
        path: the folder of the library.
        on_progress: called after every video that is encoded.

    Raises:
        FileNotFoundError: when there is no library.
        LibraryLockedError: when another process writes to it.
        StorageError: when there is no room or no permission.
        StoreCorruptError: when its card is damaged and there is no copy of it.
        WeightsUnavailableError: when videos must be encoded, and the weights are not to be had.
    """
    path = path.absolute()
    if not path.is_dir():
        Library.open(path)  # says that there is none, and how to make one
    with writer_lock(path):
        found = rescue(path)
    for problem in verify(path).derived:
        if problem.path is not None and problem.path.parts[0] in {CACHE, WHOLE_DIGESTS}:
            (path / problem.path).unlink(missing_ok=True)
    if found.redo:
        _encode_again(path, found.redo, on_progress)
    left = verify(path, deep=True).problems
    there = {record.id: record for record in Library.open(path).videos()}
    names = {name.path for record in there.values() for name in record.names}
    whole = there.keys() - found.partial
    mended = [
        problem
        for problem in found.redo
        if problem.video in whole or (problem.path in names and problem.path.is_file())
    ]
    lost = [problem for problem in found.redo if problem not in mended]
    return Repair(tuple(mended), tuple(lost), left)


def _encode_again(
    path: Path, redo: tuple[Problem, ...], on_progress: Callable[[IndexStep], Any]
) -> None:
    """Index the files of damaged videos; where one is not known, the folders of the library."""
    known = [problem.path for problem in redo]
    files = [file for file in known if file is not None and file.is_file()]
    roots = [root for root in Library.open(path).roots() if root.exists()]
    others = [file for file in files if not any(file.is_relative_to(root) for root in roots)]
    if wanted := [*roots, *others]:
        only = frozenset(files) if len(files) == len(known) else None
        index(wanted, library=path, only=only, on_progress=on_progress)
