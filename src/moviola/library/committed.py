"""Read the committed states of a library: records at once, vectors when they are needed."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from moviola.library.passages import committed_passages
from moviola.library.records import VideoRecord
from moviola.library.snapshot import Snapshot
from moviola.library.storage.card import LibraryCard
from moviola.library.storage.inspecting import Inspection, Inspector
from moviola.library.storage.passage_rows import PASSAGES, passages_schema
from moviola.library.storage.row_checks import Problem
from moviola.library.storage.schema import CLIPS, VIDEOS, video_records
from moviola.library.storage.tables import Tables, faults
from moviola.library.storage.verifying import channel_problems, count_problems, read_sound

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class _State:
    """Hold the records of one committed state, and how far its files can be believed."""

    versions: tuple[int, ...]
    records: list[VideoRecord]
    inspection: Inspection


class StateReader:
    """Show one committed state of a library until it is told to go on.

    Rows that are not what was written are shown to nobody; `problems` names them.
    """

    def __init__(self, path: Path, card: LibraryCard) -> None:
        self._path = path
        self._card = card
        self._inspector = Inspector(path)
        self._tables: Tables | None = None
        self._state: _State | None = None
        self._snapshot: Snapshot | None = None
        self._problems: dict[str, tuple[Problem, ...]] = {}
        self._loading = threading.RLock()  # a server searches from several threads

    @property
    def tables(self) -> Tables:
        """Open the tables once.

        Raises:
            StoreCorruptError: when one is damaged or missing.
        """
        if self._tables is None:
            self._tables = Tables.open(self._path)
        return self._tables

    @property
    def problems(self) -> tuple[Problem, ...]:
        """List what of the state that is shown was left out because it is damaged."""
        return tuple(problem for problems in self._problems.values() for problem in problems)

    @property
    def generation(self) -> str:
        """Name the state that is shown: a text that changes with every commit, `""` before any."""
        state = self._state
        return "" if state is None else ".".join(map(str, state.versions))

    def read_by(self, card: LibraryCard) -> None:
        """Read anew by a card that was rewritten; what is shown is dropped."""
        with self._loading:
            self._card, self._state, self._snapshot = card, None, None

    def refresh(self) -> bool:
        """Show what has been committed since; return whether there was anything. Cheap when not."""
        with self._loading:
            if self._state is None or self._is_latest(self._state):
                return False
            self._state = None
            self._snapshot = None
            return True

    def advance(self) -> bool:
        """Load what has been committed since, then show it; return whether there was anything.

        Unlike after `refresh`, whoever searches meanwhile finds the state before and never waits.
        """
        with self._loading:
            shown = None if self._snapshot is None else self._state
            if shown is not None and self._is_latest(shown):
                return False
            state = self._read_state()
            self._snapshot = self._read_snapshot(state)
            self._state = state
            return True

    def snapshot(self) -> Snapshot:
        """Return all committed clips in memory, loaded when they are first needed.

        Raises:
            StoreCorruptError: when the tables are damaged.
        """
        found = self._snapshot
        if found is None:
            with self._loading:
                if self._snapshot is None:
                    self.refresh()  # files of a state seen long ago may have been tidied away
                    self._snapshot = self._read_snapshot(self._load())
                found = self._snapshot
        return found

    def records(self) -> list[VideoRecord]:
        """List every content that is shown, failures included, ordered by id.

        Raises:
            StoreCorruptError: when the tables are damaged.
        """
        return self._load().records

    def passages(self, columns: list[str] | None, **equal: str) -> pa.Table:
        """Read the passages whose columns equal the values of `equal`, or some of their columns.

        `_rowid` may be among the columns; where rows were not simply read, it is left out.

        Raises:
            StoreCorruptError: when the tables are damaged.
        """
        with self._loading, faults(self._path):
            state = self._load()
            table = self.tables.passages
            if table is None:  # a library of an earlier schema
                return _columns_of(passages_schema().empty_table(), columns)
            if state.inspection.doubts(PASSAGES):
                import pyarrow.compute as pc

                found = self._sound_passages(state)
                for name, value in equal.items():
                    found = found.filter(pc.field(name) == value)
                found = _columns_of(found, columns)
            elif equal:
                found = self.tables.read_where(table, columns, **equal)
            else:
                found = self.tables.read(table, columns)
            return committed_passages(state.records, found)

    def _sound_passages(self, state: _State) -> pa.Table:
        """Read the passages that are what was written; note the problems of the others."""
        found, problems = read_sound(self.tables, PASSAGES, state.inspection)
        problems += channel_problems(state.records, found, problems)
        self._note(PASSAGES, problems, state)
        return found

    def _note(self, table: str, problems: Iterable[Problem], state: _State) -> None:
        known = {record.id: record for record in state.records}
        self._problems[table] = tuple(problem.of(known) for problem in problems)

    def _is_latest(self, state: _State) -> bool:
        return self._inspector.settle(self.tables)[0] == state.versions

    def _load(self) -> _State:
        state = self._state
        if state is None:
            with self._loading:
                if self._state is None:
                    self._state = self._read_state()
                state = self._state
        return state

    def _read_state(self) -> _State:
        tables = self.tables
        versions, found = self._inspector.settle(tables)
        rows, problems = read_sound(tables, VIDEOS, found)
        with faults(self._path):
            shown = [record.shown() for record in video_records(rows)]
        named = sorted((record for record in shown if record.names), key=lambda record: record.id)
        state = _State(versions, named, found)
        self._problems.clear()
        self._note(VIDEOS, problems, state)
        return state

    def _read_snapshot(self, state: _State) -> Snapshot:
        clips, problems = read_sound(self.tables, CLIPS, state.inspection)
        records: Sequence[VideoRecord] = state.records
        with faults(self._path):
            if state.inspection.doubts(CLIPS):
                problems += count_problems(records, clips, problems)
                self._note(CLIPS, problems, state)
                damaged = {problem.video for problem in problems}
                records = [record for record in records if record.id not in damaged]
            return Snapshot.of(
                records,
                clips,
                unit=self._card.space.metric == "cosine",
                sharpness=self._card.sharpness,
            )


def _columns_of(table: pa.Table, columns: list[str] | None) -> pa.Table:
    """Select those of `columns` that a table has; None selects all."""
    names = table.column_names if columns is None else columns
    return table.select([name for name in names if name in table.column_names])
