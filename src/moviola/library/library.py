"""Create, open, read and write a library."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from moviola.core import (
    Clip,
    Embeddings,
    MoviolaError,
    Passage,
    Readout,
    Space,
    Span,
    StorageError,
    StoreCorruptError,
    display_path,
)
from moviola.library.committed import StateReader
from moviola.library.indexed import PassageIndexer
from moviola.library.passages import ORDERING_COLUMNS, PASSAGE_COLUMNS
from moviola.library.records import VideoRecord
from moviola.library.snapshot import Snapshot
from moviola.library.status import LibraryStatus
from moviola.library.storage.card import CARD_NAME, KnownChannel, LibraryCard, changed_parts
from moviola.library.storage.locking import WriterLock, writer_lock
from moviola.library.storage.migrating import migrate
from moviola.library.storage.passage_rows import read_passages
from moviola.library.storage.places import make_place, refuse_lost_card
from moviola.library.storage.row_checks import Problem
from moviola.library.storage.tables import Tables, faults
from moviola.library.storage.verifying import find_problems
from moviola.library.storage.writing import LibraryWriter
from moviola.library.text_index import IndexedPassages

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray


class Library:
    """Hold a folder of video clips that can be searched by sentences.

    Opening reads only the card; tables and vectors are loaded when they are first needed. A
    library that is open shows one committed state until `refresh`.
    """

    def __init__(self, path: Path, card: LibraryCard) -> None:
        self.path = path
        self.card = card
        self._reader = StateReader(path, card)
        self._indexer = PassageIndexer(path, self._reader)

    @classmethod
    def create(cls, path: Path, card: LibraryCard, held: WriterLock | None = None) -> Self:
        """Make an empty library in the folder `path`, which is made with its parents.

        The card is written last: a creation that was interrupted can simply be repeated.

        Args:
            path: the folder.
            card: what its vectors are.
            held: the lock on `path`, where the caller holds it.

        Raises:
            FileExistsError: when there is a library already, or a folder with other things in it.
            LibraryLockedError: when another process is making it.
            StorageError: when it cannot be written.
            StoreCorruptError: when there are videos in it but the card is lost.
        """
        path = path.absolute()
        make_place(path)
        with held or writer_lock(path):
            if (path / CARD_NAME).exists():
                raise FileExistsError(
                    f"{display_path(path)} is a library already; open it, or choose another place"
                )
            Tables.create(path, card)
            card.write(path)
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the library in the folder `path`.

        Raises:
            FileNotFoundError: when there is none.
            StoreCorruptError: when its card is damaged or lost, or a newer Moviola wrote it.
        """
        path = path.absolute()
        try:
            return cls(path, LibraryCard.read(path))
        except (FileNotFoundError, NotADirectoryError) as error:
            refuse_lost_card(path)
            raise FileNotFoundError(
                f"there is no library at {display_path(path)}; make one with "
                f"'moviola index FOLDER --library {display_path(path)}'"
            ) from error
        except OSError as error:
            raise StorageError(
                f"cannot read the library {display_path(path)}: {error.strerror}"
            ) from error

    def require(
        self,
        *,
        space: Space | None = None,
        video_readout: Readout | None = None,
        text_readout: Readout | None = None,
        segment: str | None = None,
        rows: str | None = None,
    ) -> None:
        """Refuse vectors, queries or clips that do not belong here.

        Raises:
            SpaceMismatchError: naming every component that differs and both ways out.
        """
        self.card.require(
            library=self.path,
            space=space,
            video_readout=video_readout,
            text_readout=text_readout,
            segment=segment,
            rows=rows,
        )

    def record_precision(self, precision: str) -> None:
        """Put the precision of a run on the card before its first vector; only a writer may.

        Raises:
            StorageError: when the card cannot be written.
        """
        self._rewrite(self.card.with_precision(precision))

    def record_codecs(self, codecs: Iterable[str]) -> None:
        """Put codecs that a run allows on the card, for whoever shows its videos; see above.

        Raises:
            StorageError: when the card cannot be written.
        """
        self._rewrite(self.card.with_codecs(codecs))

    def record_channels(self, channels: Iterable[KnownChannel]) -> None:
        """Put the channels of a run on the card; see above.

        Raises:
            StorageError: when the card cannot be written.
        """
        self._rewrite(self.card.with_channels(channels))

    def record_sharpness(self, sharpness: float) -> None:
        """Put on the card how sharply windows are joined to moments; see above.

        Raises:
            StorageError: when the card cannot be written.
        """
        self._rewrite(replace(self.card, sharpness=sharpness))
        self._reader.read_by(self.card)

    def _rewrite(self, card: LibraryCard) -> None:
        if card != self.card:
            card.write(self.path)
            self.card = card

    @contextmanager
    def writer(
        self,
        on_commit: Callable[[Sequence[str]], None] | None = None,
        held: WriterLock | None = None,
    ) -> Iterator[LibraryWriter]:
        """Yield the only writer there can be; commit and tidy when the `with` block ends.

        An exception in the block still commits the videos that were added before it. A library of
        an earlier schema is brought to this one first; a backup of it stays in its folder.

        Args:
            on_commit: called after every commit with the ids it made durable.
            held: the lock on the library, where the caller holds it.

        Raises:
            LibraryLockedError: at once, when another process writes.
            StorageError: when the library cannot be written.
            StoreCorruptError: when its tables are damaged.
        """
        with held or writer_lock(self.path):
            self.card = migrate(self.path, LibraryCard.read(self.path))
            writer = LibraryWriter(self.card, Tables.open(self.path), on_commit)
            try:
                yield writer
            except StorageError:
                raise  # another commit would only fail again
            except BaseException:
                with suppress(MoviolaError):  # the first fault is the one to tell
                    writer.commit()
                raise
            else:
                writer.close()
                self._indexer.refresh_files()
        self.refresh()

    def refresh(self) -> bool:
        """Show what has been committed since; return whether there was anything. Cheap when not."""
        return self._reader.refresh()

    def advance(self) -> bool:
        """Load what has been committed since, then show it; return whether there was anything.

        Unlike after `refresh`, whoever searches meanwhile finds the state before and never waits.
        """
        return self._reader.advance()

    @property
    def generation(self) -> str:
        """Name the state that is shown: a text that changes with every commit, `""` before any."""
        return self._reader.generation

    @property
    def damage(self) -> tuple[Problem, ...]:
        """List what of the state that is shown was left out because it is damaged."""
        return self._reader.problems

    def snapshot(self) -> Snapshot:
        """Return all committed clips in memory, loaded when they are first needed.

        Clips that are not what was written are left out, and `damage` names their videos.

        Raises:
            StoreCorruptError: when the tables are damaged.
        """
        return self._reader.snapshot()

    def videos(self) -> list[VideoRecord]:
        """List every content the library knows, failures included, ordered by id.

        Raises:
            StoreCorruptError: when its tables are damaged.
        """
        return self._reader.records()

    def record(self, video: str) -> VideoRecord | None:
        """Return the record of a video, None where there is none of that id."""
        records = self._reader.records()
        at = bisect_left(records, video, key=lambda record: record.id)
        return records[at] if at < len(records) and records[at].id == video else None

    @property
    def channel_names(self) -> list[str]:
        """List the channels that its passages were read by."""
        return [channel.name for channel in self.card.channels]

    def passages(self, video: str | None = None, channel: str | None = None) -> list[Passage]:
        """List the passages of a video, of a channel, of both or all, by video and start.

        Raises:
            StoreCorruptError: when the tables are damaged.
        """
        wanted = {"video": video, "channel": channel}
        equal = {column: value for column, value in wanted.items() if value is not None}
        with faults(self.path):
            return read_passages(self._reader.passages(None, **equal))

    def passage_table(self, columns: Sequence[str] = PASSAGE_COLUMNS) -> pa.Table:
        """Return all passages as Arrow columns, ordered by video, start and end.

        Args:
            columns: those to read besides `video`, `channel`, `start` and `end`.

        Raises:
            StoreCorruptError: when the tables are damaged.
        """
        return self._reader.passages(list(dict.fromkeys((*ORDERING_COLUMNS, *columns))))

    def indexed_passages(self) -> IndexedPassages:
        """Return all passages in memory, ready to be searched by words; loaded when first needed.

        Raises:
            StoreCorruptError: when the tables are damaged.
        """
        return self._indexer.passages()

    def roots(self) -> list[Path]:
        """List the folders, and files named by themselves, that were indexed, but for nested ones.

        Raises:
            StoreCorruptError: when its tables are damaged.
        """
        roots = {name.root for record in self._reader.records() for name in record.names}
        return sorted(root for root in roots if roots.isdisjoint(root.parents))

    def failures(self) -> list[VideoRecord]:
        """List what could not be used, with code, message and paths, ordered by path."""
        failed = [record for record in self._reader.records() if record.code.is_failure]
        return sorted(failed, key=lambda record: os.fsencode(record.path))

    def status(self) -> LibraryStatus:
        """Count what is committed."""
        return LibraryStatus.of(self._reader.records(), self.path)

    def embeddings(self) -> Embeddings[Clip]:
        """Return every video that has clips as one item, under its id; its rows are its clips'.

        This is what whole-video retrieval is evaluated on, without decoding anything again.

        Raises:
            StoreCorruptError: when the tables are damaged.
        """
        snapshot = self.snapshot()
        ends = snapshot.spans[snapshot.offsets[1:] - 1, 1]
        items = [
            Clip(record.id, record.path, Span(0.0, float(end)))
            for record, end in zip(snapshot.records, ends, strict=True)
        ]
        several = snapshot.rows
        return Embeddings(
            items,
            snapshot.offsets if several is None else several.offsets[snapshot.offsets],
            [snapshot.matrix if several is None else several.rows] if items else [],
            self.card.space,
            self.card.video_readout,
        )

    def verify(self, *, deep: bool = False) -> list[Problem]:
        """Compare every file with its checksum; list what is wrong, nothing when all is sound.

        Args:
            deep: also recompute the checksum of every row, whatever those of the files say.
        """
        try:
            LibraryCard.read(self.path)
            parts = [
                f"the card's {part} is not what was written" for part in changed_parts(self.path)
            ]
            problems = [Problem(part, path=Path(CARD_NAME)) for part in parts]
            return [*problems, *find_problems(Tables.open(self.path), deep=deep)]
        except StoreCorruptError as error:
            return [Problem(str(error))]

    def direction(self, text_vectors: NDArray[np.floating]) -> NDArray[np.float32]:
        """Turn a query of one row `(1, D)` into what vectors are multiplied with, `(D,)`.

        A library that keeps rows of clips takes any number of rows, `(m, D)`, and gives them back
        of unit length.

        Raises:
            ValueError: when it is not one finite row, or has no direction.
        """
        query = np.asarray(text_vectors, np.float32)
        if self.card.rows and query.ndim == 2 and len(query) > 1:
            return np.concatenate([self.direction(row[None]) for row in query])
        if query.shape != (1, self.card.space.dimension):
            raise ValueError(
                f"a query needs vectors of shape (1, {self.card.space.dimension}), got "
                f"{query.shape}; pool token rows first"
            )
        if not np.isfinite(query).all():
            raise ValueError("the query's vector is not finite; the encoder is at fault")
        if self.card.space.metric == "dot":
            return query[0]
        norm = float(np.linalg.norm(query))
        if norm == 0:
            raise ValueError("the query's vector is zero, which has no direction to compare")
        unit = query / np.float32(norm)
        return unit if self.card.rows else unit[0]
