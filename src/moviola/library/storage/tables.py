"""Open, read and write the LanceDB tables of a library, and raise its faults as ours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import reduce
from operator import and_
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

from moviola.core import MoviolaError, StorageError, StoreCorruptError, display_path
from moviola.library.storage.card import PASSAGES_SINCE, LibraryCard
from moviola.library.storage.durability import NewFiles
from moviola.library.storage.passage_rows import PASSAGES, passages_schema
from moviola.library.storage.schema import CLIPS, KEY, VIDEOS, clips_schema, videos_schema
from moviola.library.storage.seals import Seals

if TYPE_CHECKING:
    import lancedb
    import pyarrow as pa
    from lancedb.expr import Expr
    from lancedb.table import LanceTable, Table

_ANY_CASE = re.IGNORECASE
# How the operating system's refusals look inside LanceDB's RuntimeErrors.
_NO_ROOM = re.compile(r"(?i)no space left|file too large|quota exceeded|os error (27|28|122)\b")
_NO_LEAVE = re.compile(
    r"(?i)permission denied|read-only file system|not permitted|os error (1|13|30)\b"
)
_FAILING = re.compile(r"(?i)input/output error|os error 5\b")
_NO_TEMPORARY = re.compile(r"(?i)failed to create temp")
_NO_FILES = re.compile(r"(?i)too many open files|os error (23|24)\b")
# Where in LanceDB's sources a fault was noticed, on the machine that compiled it.
_RUST_PLACE = re.compile(r",? ?[^\s,:]*\.rs:\d+(:\d+)?")
_FAULTS = (RuntimeError, ValueError, OSError, LookupError, ArithmeticError, MemoryError)
_PANICS = frozenset({"PanicException", "RustPanic"})  # of pyo3 and of its futures
# More writers' commits than this do not happen while one version is looked up.
_ATTEMPTS = 20
# Readers that began on an older version have this long to finish reading it.
_KEEP_VERSIONS = timedelta(minutes=2)


class Tables:
    """Hold the open tables of one library: `clips`, `videos` and, since schema 3, `passages`."""

    def __init__(
        self, folder: Path, clips: Table, videos: Table, passages: Table | None = None
    ) -> None:
        self.folder = folder
        self.clips = clips
        self.videos = videos
        self.passages = passages
        self._new: dict[str, NewFiles] = {}
        self._seals = Seals()

    @classmethod
    def create(cls, folder: Path, card: LibraryCard) -> Self:
        """Make the tables, in place of empty ones that an interrupted creation left.

        Raises:
            StoreCorruptError: when there are tables with rows, which only a lost card explains.
            StorageError: when they cannot be written.
        """
        import lancedb

        with faults(folder):
            database = lancedb.connect(str(folder))
            clips = clips_schema(card.space.dimension, card.vector_type, rows=bool(card.rows))
            tables = cls(
                folder,
                make_table(database, folder, CLIPS, clips),
                make_table(database, folder, VIDEOS, videos_schema()),
                make_table(database, folder, PASSAGES, passages_schema()),
            )
            tables.seal()
            return tables

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open the tables; one that came with a schema that the library has not is left out.

        Raises:
            StoreCorruptError: when one is damaged or missing.
        """
        import lancedb

        with faults(folder):
            database = lancedb.connect(str(folder))
            tables = cls(folder, database.open_table(CLIPS), database.open_table(VIDEOS))
            tables._open_passages()
            return tables

    @staticmethod
    def holds_rows(folder: Path) -> bool:
        """Test whether there is anything in the tables of `folder`."""
        import lancedb

        with faults(folder):
            database = lancedb.connect(str(folder))
            return any(_rows(database, name) for name in (CLIPS, VIDEOS, PASSAGES))

    def refresh(self) -> tuple[int, ...]:
        """Go to the latest committed state; return the version numbers of the tables.

        A writer announces every change of clips and passages in `videos`: whatever that promises
        was committed to their tables before, and whatever is taken away was withdrawn there
        before. So they agree when `videos` stayed as it was while the others were looked up.
        """
        with faults(self.folder):
            self._open_passages()
            self.videos.checkout_latest()
            for _ in range(_ATTEMPTS):
                before = self.videos.version
                for table in self._contents():
                    table.checkout_latest()
                self.videos.checkout_latest()
                if self.videos.version == before:
                    break
            return (self.videos.version, *(table.version for table in self._contents()))

    def show(self, versions: Mapping[str, int]) -> tuple[int, ...]:
        """Go to the committed state of these versions by table; return the version numbers."""
        with faults(self.folder):
            self._open_passages()
            for table in self.all():
                table.checkout(versions[table.name])
            return (self.videos.version, *(table.version for table in self._contents()))

    def read(self, table: Table, columns: list[str] | None = None) -> pa.Table:
        """Read all rows of a table, or some of their columns."""
        with faults(self.folder):
            if columns is None:
                return table.to_arrow()
            return table.search().select(columns).to_arrow()

    def read_where(self, table: Table, columns: list[str] | None = None, **equal: str) -> pa.Table:
        """Read the rows whose columns equal the values of `equal`, or some of their columns."""
        with faults(self.folder):
            query = table.search().where(_equals(equal))
            return (query if columns is None else query.select(columns)).to_arrow()

    def read_row_ids(self, table: Table, row_ids: Sequence[int]) -> pa.Table:
        """Read the rows of some `_rowid`s of the version that is open, in any order."""
        with faults(self.folder):
            return table.take_row_ids([*row_ids]).to_arrow()

    def read_ids(self, table: Table, ids: Iterable[str]) -> pa.Table:
        """Read the rows of some ids, in any order."""
        with faults(self.folder):
            return table.search().where(_is_one_of(KEY, ids)).to_arrow()

    def checksums(self, table: Table, **equal: str) -> set[bytes]:
        """Read the checksums of the rows whose columns equal the values of `equal`."""
        found = self.read_where(table, ["checksum"], **equal)
        return set(found.column("checksum").to_pylist())

    def prepare_to_write(self) -> None:
        """Take note of the files that are there: what is written from now on is made durable.

        Raises:
            StoreCorruptError: when the checksums of what is there are damaged.
        """
        self._seals = Seals.read(self.folder) or Seals()
        with faults(self.folder):
            for name in (CLIPS, VIDEOS, PASSAGES):
                self._new[name] = NewFiles(self.folder / f"{name}.lance")

    def upsert(self, table: Table, rows: pa.Table) -> None:
        """Insert rows, or replace those with the same id, in one commit that survives power cuts.

        Only after `prepare_to_write`.
        """
        with faults(self.folder):
            before = table.version
            merge = table.merge_insert(KEY).when_matched_update_all()
            merge.when_not_matched_insert_all().execute(rows)
            try:
                self._new[table.name].sync()
            except OSError:
                # What the disk did not take whole must not be what the next writer finds.
                table.checkout(before)
                table.restore()
                raise

    def sync(self) -> None:
        """Make durable what others wrote into the tables since `prepare_to_write`."""
        with faults(self.folder):
            for new in self._new.values():
                new.sync()

    def seal(self) -> None:
        """Note the checksums of all files: from now on readers show this state.

        Raises:
            StorageError: when there is no room or no permission.
        """
        with faults(self.folder):
            seals = Seals.of(self.folder, self._seals)
            if seals != self._seals:
                seals.write(self.folder)
                self._seals = seals

    def delete(self, table: Table, column: str, ids: Iterable[str], **equal: str) -> None:
        """Delete the rows whose `column` is one of `ids`, in one commit.

        Only those whose other columns equal the values of `equal`.
        """
        chosen = _is_one_of(column, ids)
        with faults(self.folder):
            table.delete(chosen & _equals(equal) if equal else chosen)

    def tidy(self) -> None:
        """Merge small files and remove old versions. Only for the one who holds the lock."""
        with faults(self.folder):
            for table in self.all():
                # Unverified files are what killed writers left; under the lock nobody else's.
                table.optimize(cleanup_older_than=_KEEP_VERSIONS, delete_unverified=True)
        self.seal()

    def all(self) -> list[Table]:
        """List the open tables."""
        return [*self._contents(), self.videos]

    def _contents(self) -> list[Table]:
        """List the tables whose rows `videos` marks as whole."""
        return [self.clips] if self.passages is None else [self.clips, self.passages]

    def _open_passages(self) -> None:
        """Open the passages as soon as the card says that they are there."""
        if self.passages is None and LibraryCard.read(self.folder).schema >= PASSAGES_SINCE:
            import lancedb

            self.passages = lancedb.connect(str(self.folder)).open_table(PASSAGES)


def make_table(database: lancedb.DBConnection, folder: Path, name: str, schema: pa.Schema) -> Table:
    """Make a table, in place of an empty one that something interrupted left.

    Raises:
        StoreCorruptError: when there is one with rows, which only a lost card explains.
    """
    if (folder / f"{name}.lance").is_dir():
        _drop_empty(folder, database, name)
    table = cast("LanceTable", database.create_table(name, schema=schema))
    # Without a declared key, racing upserts double rows silently.
    table.set_unenforced_primary_key([KEY])
    return table


def _equals(values: Mapping[str, str]) -> Expr:
    from lancedb.expr import col, lit

    return reduce(and_, (col(column) == lit(value) for column, value in values.items()))


def _is_one_of(column: str, ids: Iterable[str]) -> Expr:
    from lancedb.expr import col, lit

    return col(column).isin([lit(value) for value in ids])


def _drop_empty(folder: Path, database: lancedb.DBConnection, name: str) -> None:
    if _rows(database, name):
        raise StoreCorruptError(
            f"the library {display_path(folder)} holds videos but has lost its card "
            f"(library.json); mend it with: moviola repair {display_path(folder)}"
        )
    database.drop_table(name)


def _rows(database: lancedb.DBConnection, name: str) -> int:
    try:
        return database.open_table(name).count_rows()
    except (RuntimeError, ValueError, OSError):
        return 0  # killed before its first version was complete


@contextmanager
def faults(folder: Path) -> Iterator[None]:
    """Raise what LanceDB and the file system raise as a fault of the library in `folder`.

    Raises:
        StorageError: no room, no permission, a failing disk, no temporary files, or too
            many open files.
        StoreCorruptError: anything else, which only damaged or missing files explain.
    """
    try:
        yield
    except MoviolaError:
        raise
    except _FAULTS as error:
        raise _as_ours(folder, error) from error
    except BaseException as error:
        # A panic of the Rust side (damaged metadata) is none of the above, yet no reason to die.
        if type(error).__name__ not in _PANICS:
            raise
        raise _as_ours(folder, error) from error


def _as_ours(folder: Path, error: BaseException) -> MoviolaError:
    text = _RUST_PLACE.sub("", " ".join(str(error).split()))
    text = text if len(text) <= 300 else text[:300] + " …"
    where = display_path(folder)
    if _FAILING.search(text):
        return StorageError(
            f"the disk failed under the library {where}: {text}. What was committed is safe where "
            "the disk is; look after it, and run the same command again"
        )
    if _NO_TEMPORARY.search(text):
        return StorageError(
            f"no place for temporary files: {text}. Name a folder that can be written by the "
            "variable TMPDIR, and run the same command again"
        )
    if _NO_FILES.search(text):
        return StorageError(
            f"the library {where} needs more open files than a process may have: {text}. Raise "
            "the limit (ulimit -n 1024), and run the same command again"
        )
    if _NO_ROOM.search(text):
        return StorageError(
            f"no room to write to the library {where}: {text}. What was committed is safe; free "
            "some space and run the same command again"
        )
    if isinstance(error, PermissionError) or _NO_LEAVE.search(text):
        return StorageError(
            f"no permission to use the library {where}: {text}. Make it writable, or use another "
            "with --library"
        )
    return StoreCorruptError(
        f"the library {where} is damaged: {text}. Mend it with: moviola repair {where}"
    )
