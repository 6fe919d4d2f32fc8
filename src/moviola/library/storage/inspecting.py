"""Compare the files of a library's tables with their seals, before anything of them is shown."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from moviola.core import StoreCorruptError, display_path
from moviola.library.storage.seals import Seals, changed_files, current_manifests, table_files
from moviola.library.storage.tables import Tables

# A writer may tidy, or seal its next commit, while a reader compares.
_ATTEMPTS = 20
_PAUSE_SECONDS = 0.02
# Folders of a table whose files decide which rows it has.
_LISTS = frozenset({"_versions", "_deletions", "_indices"})


@dataclass(frozen=True, slots=True)
class Inspection:
    """Say how far the files of one committed state can be believed.

    Attributes:
        seals: of this state; None where there are none, as in libraries of before.
        changed: names of the files that are missing or not what was written.
        is_whole: whether `seals` knows all that is shown; a killed writer may leave more.
    """

    seals: Seals | None
    changed: frozenset[str] = frozenset()
    is_whole: bool = True

    def doubts(self, table: str) -> bool:
        """Test whether the rows of a table must be checked one by one."""
        return not self.is_whole or any(place_of(name) == (table, "data") for name in self.changed)

    def lost_lists(self) -> list[str]:
        """Name the changed files that decide which rows are shown."""
        current = self.seals.copies if self.seals is not None else {}
        return sorted(
            name
            for name in self.changed
            if place_of(name)[1] in _LISTS and (name in current or place_of(name)[1] != "_versions")
        )


@dataclass(slots=True)
class Inspector:
    """Compare the files of a library with their seals, each once as long as it stays as it is."""

    folder: Path
    _unchanged: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])

    def settle(self, tables: Tables) -> tuple[tuple[int, ...], Inspection]:
        """Go to the last state that was sealed; return its version numbers.

        Raises:
            StoreCorruptError: when the files that decide which rows there are were damaged.
        """
        for _ in range(_ATTEMPTS):
            seals = self._read_seals()
            if seals is None:
                return tables.refresh(), Inspection(None, is_whole=False)
            found = self._inspect(seals)
            versions: tuple[int, ...] = ()
            try:
                versions = tables.show(seals.versions)
            except StoreCorruptError:
                if found.is_whole and self._read_seals() == seals:
                    raise
            if (versions and not found.changed) or self._read_seals() == seals:
                break
            time.sleep(_PAUSE_SECONDS)  # a writer goes on, and may have tidied meanwhile
        else:
            raise StoreCorruptError(damaged(self.folder, "its files never rest"))
        self._refuse_lost_lists(found)
        if versions:  # what a killed writer left beyond it is shown to nobody
            return versions, replace(found, is_whole=True)
        return tables.refresh(), found

    def latest(self, tables: Tables) -> Inspection:
        """Go to the latest state, as its only writer may; see what of it was sealed.

        Raises:
            StoreCorruptError: when the files that decide which rows there are were damaged.
        """
        tables.refresh()
        seals = Seals.read(self.folder)
        if seals is None:
            return Inspection(None, is_whole=False)
        found = self._inspect(seals)
        self._refuse_lost_lists(found)
        return found

    def _inspect(self, seals: Seals) -> Inspection:
        """Compare the files with their seals, and the versions of the tables."""
        current = current_manifests(set(table_files(self.folder)))
        versions = {table: version for table, (version, _) in current.items()}
        lost = [table for table in seals.versions if versions.get(table, 0) < seals.versions[table]]
        changed = changed_files(self.folder, seals, self._unchanged)
        is_whole = versions == seals.versions
        if not is_whole and not lost:  # a killed writer had gone on, and may have tidied
            changed = {name for name in changed if (self.folder / name).exists()}
        return Inspection(seals, frozenset(changed), is_whole)

    def _refuse_lost_lists(self, found: Inspection) -> None:
        if lists := found.lost_lists():
            raise StoreCorruptError(damaged(self.folder, f"{lists[0]} is not what was written"))

    def _read_seals(self) -> Seals | None:
        """Read the seals; damaged ones are as good as none: rows have their own."""
        try:
            return Seals.read(self.folder)
        except StoreCorruptError:
            return None


def place_of(name: str) -> tuple[str, str]:
    """Split the name of a file into its table and the folder within it."""
    table, _, inside = name.partition(".lance/")
    return table, inside.partition("/")[0]


def damaged(folder: Path, what: str) -> str:
    """Say what is wrong with the library in `folder`, and the command that mends it."""
    shown = display_path(folder)
    return f"the library {shown} is damaged: {what}. Mend it with: moviola repair {shown}"
