"""Refuse folders that cannot become a library, or were one."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from moviola.core import StorageError, StoreCorruptError, display_path
from moviola.library.storage.card import CARD_NAME
from moviola.library.storage.locking import LOCK_NAME, NOTE_NAME
from moviola.library.storage.passage_rows import PASSAGES
from moviola.library.storage.schema import CLIPS, VIDEOS
from moviola.library.storage.seals import SEALS_NAME
from moviola.library.storage.state_files import CALIBRATION, FAVOURITES, JUDGE_CALIBRATIONS
from moviola.library.storage.tables import Tables

#: Folder within a library for what can be made again, such as previews.
CACHE = "cache"
#: The folder of the head that the vectors of a library went through, where there is one.
HEAD_NAME = "head"

_OURS = frozenset(
    {
        *(f"{name}.lance" for name in (CLIPS, PASSAGES, VIDEOS)),
        *(LOCK_NAME, NOTE_NAME),
        *(CACHE, HEAD_NAME, SEALS_NAME, CALIBRATION, JUDGE_CALIBRATIONS, FAVOURITES),
    }
)


def make_place(path: Path) -> None:
    """Make the folder of a library that is to be, with its parents.

    Raises:
        FileExistsError: when there are other things in it.
        StorageError: when it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        others = {entry.name for entry in path.iterdir()}
    except OSError as error:
        raise StorageError(
            f"cannot make the library {display_path(path)}: {error.strerror}; choose another "
            "place with --library"
        ) from error
    unfinished = (CARD_NAME, NOTE_NAME, SEALS_NAME)
    foreign = {name for name in others - _OURS if not name.startswith(unfinished)}
    if foreign:
        raise FileExistsError(
            f"{display_path(path)} holds other things ({display_path(min(foreign))}) and is no "
            "library; choose an empty or new folder with --library"
        )


def remove_empty_place(path: Path) -> None:
    """Remove the folder of a library that did not come to be, unless somebody writes there."""
    if {entry.name for entry in path.iterdir()} <= {LOCK_NAME}:
        with suppress(OSError):
            (path / LOCK_NAME).unlink(missing_ok=True)
            path.rmdir()


def refuse_lost_card(path: Path) -> None:
    """Refuse a folder with the tables of a library, but without its card.

    Raises:
        StoreCorruptError: when it is one.
    """
    if (path / f"{VIDEOS}.lance").is_dir() and Tables.holds_rows(path):
        raise StoreCorruptError(
            f"the library {display_path(path)} has lost its card {CARD_NAME}; mend it with: "
            f"moviola repair {display_path(path)}"
        )
