"""Index the passages of a library for search by words: from files where those are up to date."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from moviola.core import MoviolaError, Word, passage_id
from moviola.library.committed import StateReader
from moviola.library.passages import ORDERING_COLUMNS
from moviola.library.storage.passage_rows import read_passages
from moviola.library.storage.places import CACHE
from moviola.library.storage.tables import Tables, faults
from moviola.library.text_index import IndexedPassages, SegmentFiles, passage_keys

# Columns that are read to find passages by their words, beside those that order them.
_COLUMNS = ("id", "text")
_ROW_ID = "_rowid"


class PassageIndexer:
    """Index the passages of the state that a reader shows, and keep them until it shows another.

    Args:
        path: the folder of the library.
        reader: of its committed states.
    """

    def __init__(self, path: Path, reader: StateReader) -> None:
        self._path = path
        self._reader = reader
        self._files = SegmentFiles(path / CACHE / "texts")
        self._indexed: tuple[str, IndexedPassages] | None = None
        self._loading = threading.RLock()  # a server searches from several threads

    def passages(self) -> IndexedPassages:
        """Return the passages that are shown, indexed when they are first needed.

        Raises:
            StoreCorruptError: when the tables are damaged.
        """
        self._reader.records()  # there is no generation before the first look
        found = self._indexed
        if found is None or found[0] != self._reader.generation:
            with self._loading:
                found = self._indexed
                while found is None or found[0] != self._reader.generation:
                    self._reader.records()
                    generation = self._reader.generation
                    found = self._indexed = generation, self._index()
        return found[1]

    def refresh_files(self) -> None:
        """Index new passages in files; without them a search only takes longer to begin.

        Only for the one who holds the lock.
        """
        with self._loading, suppress(OSError, MoviolaError):
            tables = Tables.open(self._path)
            if tables.passages is not None:
                rows = tables.read(tables.passages, list(_COLUMNS))
                keys = passage_keys(rows.column("id"))
                self._files.refresh(keys, rows.column("text").to_pylist())

    def _index(self) -> IndexedPassages:
        """Index what the reader shows; what was indexed before need not be again."""
        table = self._reader.passages([*ORDERING_COLUMNS, *_COLUMNS, _ROW_ID])
        known = self._files.read()
        if self._indexed is not None:
            known += [each for each in self._indexed[1].segments if each not in known]
        return IndexedPassages.of_table(table, known, self._read_words)

    def _read_words(
        self, ids: Sequence[str], row_ids: Sequence[int]
    ) -> dict[str, tuple[Word, ...]]:
        """Read the words with times of passages, by their ids; `row_ids` find them faster.

        A row id may mean another row once the table was tidied; what is missed is looked for.
        """
        with self._loading, faults(self._path):
            tables = self._reader.tables
            if tables.passages is None:
                return {}
            found: dict[str, tuple[Word, ...]] = {}
            with suppress(MoviolaError):
                rows = tables.read_row_ids(tables.passages, row_ids)
                found = {passage_id(each): each.words for each in read_passages(rows)}
            missed = [each for each in ids if each not in found]
            if missed:
                rows = tables.read_ids(tables.passages, missed)
                found |= {passage_id(each): each.words for each in read_passages(rows)}
            return found
