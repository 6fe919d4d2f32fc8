"""Bring libraries of earlier schemas to this one: a backup, the steps, the card as the marker.

A step changes the tables and leaves them readable by whoever reads the schema before it or after
it; the card, which is written last, says that it is done. So a kill at any moment leaves a library
of the old schema, on which the next writer begins again: a step must bear to be repeated.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from moviola.core import StorageError, display_path
from moviola.library.storage.card import CARD_NAME, SCHEMA, LibraryCard, sync_folder
from moviola.library.storage.passage_rows import PASSAGES, passages_schema
from moviola.library.storage.schema import VIDEOS, videos_fields_of_2, videos_fields_of_3
from moviola.library.storage.seals import SEALS_NAME
from moviola.library.storage.tables import Tables, faults, make_table

if TYPE_CHECKING:
    import pyarrow as pa
    from lancedb.table import Table

#: The folder, within the library, of a library as it was before its first step.
BACKUP_NAME = "before-schema-{}"


def _to_2(folder: Path) -> None:
    """Add the columns of `videos` for names that were forgotten and for attempts."""
    import lancedb

    with faults(folder):
        _add_columns(lancedb.connect(str(folder)).open_table(VIDEOS), videos_fields_of_2())


def _to_3(folder: Path) -> None:
    """Make the table of passages, and the column of `videos` for the channels that were read."""
    import lancedb

    with faults(folder):
        database = lancedb.connect(str(folder))
        make_table(database, folder, PASSAGES, passages_schema())
        _add_columns(database.open_table(VIDEOS), videos_fields_of_3())


def _add_columns(table: Table, fields: Sequence[pa.Field]) -> None:
    present = set(table.schema.names)
    added = [field for field in fields if field.name not in present]
    if added:
        table.add_columns(added)


#: What makes a library of schema n - 1 one of schema n, by n.
STEPS: Mapping[int, Callable[[Path], None]] = {2: _to_2, 3: _to_3}


def migrate(folder: Path, card: LibraryCard) -> LibraryCard:
    """Bring the library in `folder` to this schema; return its card, the same where it is there.

    Only for the one who holds the lock.

    Raises:
        StorageError: when there is no room or no permission; the library stays as it was.
        StoreCorruptError: when its tables are damaged.
    """
    if card.schema == SCHEMA:
        return card
    back_up(folder, card.schema)
    tables = Tables.open(folder)
    tables.prepare_to_write()
    for schema in range(card.schema + 1, SCHEMA + 1):
        STEPS[schema](folder)
        tables.sync()
        card = replace(card, schema=schema)
        card.write(folder)
    return card


def back_up(folder: Path, schema: int) -> Path:
    """Keep the library of `folder` as it is, whole or not at all, in a folder within it.

    Files of vectors are never written again once they are complete, so they are linked, not
    copied, where the file system can.

    Raises:
        StorageError: when there is no room or no permission.
    """
    place = folder / BACKUP_NAME.format(schema)
    unfinished = place.with_name(place.name + ".new")
    try:
        _remove(unfinished)
        unfinished.mkdir()
        for table in sorted(folder.glob("*.lance")):
            shutil.copytree(table, unfinished / table.name, copy_function=_keep)
        for name in (SEALS_NAME, CARD_NAME):
            if (folder / name).exists():  # no library of before has seals
                shutil.copy2(folder / name, unfinished / name)
        _remove(place)  # of a migration that was interrupted; writers may have followed it
        unfinished.rename(place)
        sync_folder(folder)
    except (OSError, shutil.Error) as error:
        with suppress(OSError):
            _remove(unfinished)
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise StorageError(
            f"cannot back up the library {display_path(folder)} before its layout is renewed: "
            f"{why}; free some space or make it writable, and run the same command again"
        ) from error
    return place


def backups(folder: Path) -> list[Path]:
    """List the backups that migrations left in the library of `folder`."""
    return sorted(folder.glob(BACKUP_NAME.format("*")))


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _keep(source: str, target: str) -> str:
    if Path(source).parent.name == "data":
        with suppress(OSError):
            os.link(source, target)
            return target
    return shutil.copy2(source, target)
