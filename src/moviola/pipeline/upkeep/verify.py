"""Verify a library or a store: find every byte that is not what was written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

from moviola.align import Aligner
from moviola.core import MoviolaError, StoreCorruptError
from moviola.library import CACHE, Library, Problem
from moviola.library.storage.state_files import (
    CALIBRATION,
    DAMAGED_ARCHIVE,
    FAVOURITES,
    JUDGE_CALIBRATIONS,
    read_state,
)
from moviola.library.storage.whole_digests import WHOLE_DIGESTS
from moviola.pipeline.search.aligned_encoder import head_of
from moviola.store import is_store
from moviola.store import verify as verify_store


@dataclass(frozen=True, slots=True)
class Verification:
    """Say what of a library or store is not what was written.

    Attributes:
        problems: one entry each; none where all is sound.
    """

    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Test whether all is sound."""
        return not self.problems

    @property
    def videos(self) -> list[Problem]:
        """List the problems of videos, which are left out of every search."""
        return [problem for problem in self.problems if problem.video is not None]

    @property
    def derived(self) -> list[Problem]:
        """List the problems of what can be made again from the rest."""
        return [problem for problem in self.problems if problem.is_derived]

    @property
    def whole(self) -> list[Problem]:
        """List the problems that concern no one video: the card, lists of rows, other files."""
        return [p for p in self.problems if p.video is None and not p.is_derived]


def verify(path: Path, *, deep: bool = False) -> Verification:
    """Compare a library, or a store of `moviola encode`, with the checksums that it was given.

    Args:
        path: folder of the library or store.
        deep: also recompute the checksum of every row, whatever those of the files say.

    Raises:
        FileNotFoundError: when there is neither at `path`.
    """
    if is_store(path):
        return Verification(tuple(_in_store(path)))
    return Verification((*_in_library(path, deep=deep), *_beside(path)))


def _in_store(path: Path) -> Iterator[Problem]:
    try:
        verify_store(path)
    except StoreCorruptError as error:
        yield Problem(str(error), path=path)


def _in_library(path: Path, *, deep: bool) -> list[Problem]:
    try:
        return Library.open(path).verify(deep=deep)
    except StoreCorruptError as error:
        return [Problem(str(error))]


def _beside(path: Path) -> Iterator[Problem]:
    """Look at the files beside the tables that other rooms read and write."""
    for name in (CALIBRATION, JUDGE_CALIBRATIONS, FAVOURITES):
        with suppress(FileNotFoundError):
            try:
                read_state(path / name)
            except (ValueError, RecursionError, OSError) as error:
                if not isinstance(error, FileNotFoundError):
                    is_derived = name == WHOLE_DIGESTS
                    what = f"{name} is damaged: {error}"
                    yield Problem(what, path=Path(name), is_derived=is_derived)
    for kept in sorted((path / CACHE).rglob("*.npz")):
        if not _is_sound(kept):
            name = kept.relative_to(path)
            yield Problem(f"{name} is damaged; it is made again", path=name, is_derived=True)
    head = head_of(path)
    if head is not None:
        try:
            Aligner.from_pretrained(head)
        except (MoviolaError, OSError, ValueError) as error:
            yield Problem(f"the head is damaged: {error}", path=Path(head.name))


def _is_sound(archive: Path) -> bool:
    """Test whether every member of an archive of arrays is what was written."""
    try:
        with ZipFile(archive) as members:
            return members.testzip() is None
    except DAMAGED_ARCHIVE:
        return False
