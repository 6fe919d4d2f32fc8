"""Write a store: streamed, resumable after a kill, and there as a whole or not at all."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self, get_args

import numpy as np
from filelock import FileLock, Timeout

from moviola.core import (
    Clip,
    Embeddings,
    LibraryLockedError,
    Readout,
    Space,
    StorageError,
    StoreCorruptError,
    Text,
    display_path,
)
from moviola.core.json_text import decode_json
from moviola.store.adding import (
    READY,
    Declared,
    adding_folder,
    finished_parts,
    mend_swap,
    swap_in,
)
from moviola.store.card import Kind, RowType, StoreCard, is_store
from moviola.store.item_checks import converted_rows, require_item
from moviola.store.joining import write_store
from moviola.store.parts import Part, read_parts, write_part
from moviola.store.shards import publish

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moviola.core.embeddings import Rows

_DRAFT = "draft.json"
_MIB = 1 << 20


class _Kept(NamedTuple):
    """Hold what a writer has: parts on disk, and items that wait with their rows, by id.

    Both change in one statement, so that an interruption never finds them apart.
    """

    parts: Sequence[Part]
    waiting: dict[str, tuple[Clip | Text, Rows]]


class _DoneIds(AbstractSet[str]):
    """View the ids of a writer's items as they grow."""

    def __init__(self, writer: StoreWriter) -> None:
        self._writer = writer

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._writer

    def __iter__(self) -> Iterator[str]:
        return self._writer.ids()

    def __len__(self) -> int:
        return sum(1 for _ in self)


class StoreWriter:
    """Append items with their rows to a store that is not there until it is finished.

    Until then everything lies in `FOLDER.partial`. A writer opened on the same folder goes on
    where an interrupted one stopped: `done_ids` says what it has. Rows reach the disk in parts,
    when enough of them or enough seconds have gathered; a kill loses at most one part. `finish`
    joins the parts into shards and renames the folder into place, which needs the room twice
    for a moment. As a context manager it finishes on success; on an error it keeps what it has.

    With `adding`, a finished store is added to: `finished_ids` says what it has, readers find it
    as it was until `finish` puts the larger one in its place, and what is gathered meanwhile lies
    in `FOLDER.adding`.

    Rows may come as float16 or float32 and are stored as `dtype`.

    Args:
        folder: where the store will be; must not exist, or be empty.
        kind: `"clips"` or `"texts"`.
        space: what the vectors may be compared with.
        readout: how the model was read.
        dtype: `"float16"` or `"float32"`.
        precision: that the model computes in; `""` where it is not told.
        segment: how videos are cut; `""` where it is not told.
        adding: add to the store where there is one already.
        shard_bytes: size at which a shard is rolled.
        part_bytes: size at which a part goes to disk.
        part_seconds: age at which a part goes to disk, looked at on every append.

    Raises:
        FileExistsError: when the folder already holds something that is not added to.
        SpaceMismatchError: when an interrupted or finished writer wrote another space or readout.
        ValueError: when it wrote another kind, dtype, precision or segmentation.
        StoreCorruptError: when what is there is damaged.
        LibraryLockedError: when another process is writing this store.
        StorageError: when the disk refuses.
    """

    def __init__(
        self,
        folder: Path,
        *,
        kind: Kind,
        space: Space,
        readout: Readout,
        dtype: RowType = "float16",
        precision: str = "",
        segment: str = "",
        adding: bool = False,
        shard_bytes: int = 256 * _MIB,
        part_bytes: int = 16 * _MIB,
        part_seconds: float = 30.0,
    ) -> None:
        if kind not in get_args(Kind) or dtype not in get_args(RowType):
            raise ValueError(f"a store cannot be of {kind!r} in {dtype!r}")
        self._folder = folder
        if adding:
            with _storage(folder):
                mend_swap(folder)
        self._adding = adding and is_store(folder)
        self._partial = (
            adding_folder(folder) if self._adding else folder.with_name(folder.name + ".partial")
        )
        self._card = StoreCard(
            *(kind, space, readout, dtype),
            items=0,
            rows=0,
            files={},
            precision=precision,
            segment=segment,
        )
        row_bytes = space.dimension * np.dtype(dtype).itemsize
        self._shard_rows = max(1, shard_bytes // row_bytes)
        self._part_rows = max(1, part_bytes // row_bytes)
        self._part_seconds = part_seconds
        self._since = time.monotonic()
        finished = self._finished()
        with _storage(folder):
            self._refuse_occupied()
            self._partial.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(self._partial / ".lock")
            try:
                self._lock.acquire(timeout=0)
            except Timeout:
                raise LibraryLockedError(
                    f"another process is writing {display_path(folder)}; wait for it to end"
                ) from None
        try:
            self._agree_with_draft()
            self._base = len(finished)
            self.finished_ids = frozenset(item.id for part in finished for item in part.items)
            self._kept = _Kept([*finished, *self._own_parts()], {})
        except BaseException:
            self._lock.release()
            raise
        self._stored = {item.id for part in self._kept.parts for item in part.items}

    @property
    def done_ids(self) -> AbstractSet[str]:
        """List the ids of the items on disk or waiting to be: a view that grows with them."""
        return _DoneIds(self)

    def __contains__(self, item_id: object) -> bool:
        """Tell whether the item of that id was appended."""
        return item_id in self._stored or item_id in self._kept.waiting

    def ids(self) -> Iterator[str]:
        """Go through the ids of the items that were appended."""
        yield from self._stored
        yield from (name for name in self._kept.waiting if name not in self._stored)

    def append(self, item: Clip | Text, rows: NDArray[np.float16 | np.float32]) -> None:
        """Add one item with its `(n, D)` rows, n at least 1.

        Raises:
            ValueError: when the id was appended before, the item is of the other kind, or rows
                have the wrong shape or dtype or do not stay finite in the dtype of the store.
            StorageError: when the disk refuses.
        """
        require_item(item, self._card.kind)
        if item.id in self:
            raise ValueError(f"{item.id!r} is in the store already")
        converted = converted_rows(item, rows, self._card)
        # An interruption finds an item either whole or not at all: one statement makes it known.
        self._kept.waiting[item.id] = (item, converted)
        held = sum(len(block) for _, block in self._kept.waiting.values())
        if held >= self._part_rows or time.monotonic() - self._since >= self._part_seconds:
            self.flush()

    def extend(self, embeddings: Embeddings[Clip] | Embeddings[Text]) -> None:
        """Add every item of `embeddings` that is not there yet.

        Raises:
            SpaceMismatchError: when they are of another space or readout.
        """
        self._card.space.require(embeddings.space, what="what is being added")
        self._card.readout.require(embeddings.readout, what="what is being added")
        for index, item in enumerate(embeddings.items):
            if item.id not in self:
                self.append(item, embeddings.rows(index))

    def flush(self) -> None:
        """Put what was appended so far safely on disk."""
        kept = self._kept
        if kept.waiting:
            items, rows = zip(*kept.waiting.values(), strict=True)
            with _storage(self._folder):
                number = len(kept.parts) - self._base
                part = write_part(self._partial, number, self._card.kind, items, rows)
            self._stored.update(kept.waiting)
            # Whoever is interrupted before this writes the same part again.
            self._kept = _Kept([*kept.parts, part], {})
        self._since = time.monotonic()

    def finish(self, order: Callable[[Clip | Text], Any] | None = None) -> StoreCard:
        """Join everything into the finished store, and return its card.

        Args:
            order: gives the key by which items are sorted; None keeps the order of appending.

        Raises:
            StorageError: when the disk refuses; nothing is lost, finishing can be tried again.
        """
        self.flush()
        ready = self._partial / READY
        with _storage(self._folder):
            if self._adding and len(self._kept.parts) == self._base:  # nothing was added
                card = StoreCard.read(self._folder)
            else:
                shutil.rmtree(ready, ignore_errors=True)
                ready.mkdir()
                card = write_store(ready, self._card, self._kept.parts, self._shard_rows, order)
                swap_in(self._partial, self._folder)
            self._lock.release()
            shutil.rmtree(self._partial, ignore_errors=True)
        return card

    def release(self) -> None:
        """Put everything on disk and let go, without finishing; another writer can go on."""
        if not self._lock.is_locked:
            return
        try:
            self.flush()
        finally:
            try:
                self.flush()  # again, where a second Ctrl-C interrupted the first
            finally:
                self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self.finish()
        finally:
            try:
                self.release()
            finally:
                self.release()

    def _finished(self) -> list[Part]:
        """Read what the store that is added to has, after making sure that it can be added to."""
        if not self._adding:
            return []
        shown = display_path(self._folder)
        there = Declared(shown, StoreCard.read(self._folder), "choose another folder")
        there.require(self._card)
        self._take_over(there.card)
        return finished_parts(self._folder)

    def _own_parts(self) -> list[Part]:
        """Read the parts of an interrupted writer; those that are in the store already go."""
        parts = read_parts(self._partial, self._card.kind)
        if any(item.id in self.finished_ids for part in parts[:1] for item in part.items):
            # What is left of a writer that was killed between the renaming and its tidying up.
            for path in self._partial.glob("part-*"):
                path.unlink()
            return []
        return parts

    def _take_over(self, begun: StoreCard) -> None:
        """Take what was not told at the beginning for unknown afterwards too."""
        self._card = replace(self._card, precision=begun.precision, segment=begun.segment)

    def _refuse_occupied(self) -> None:
        if self._adding:
            return
        if is_store(self._folder):
            # What is left of a writer that was killed between the renaming and its tidying up.
            shutil.rmtree(self._partial, ignore_errors=True)
            raise FileExistsError(f"{display_path(self._folder)} already holds a finished store")
        if self._folder.exists() and (not self._folder.is_dir() or any(self._folder.iterdir())):
            raise FileExistsError(f"{display_path(self._folder)} exists and is no empty folder")

    def _agree_with_draft(self) -> None:
        draft = self._partial / _DRAFT
        if not draft.is_file():
            temporary = draft.with_suffix(".tmp")
            temporary.write_text(self._card.to_json(), encoding="ascii")
            with _storage(self._folder):
                publish(temporary, draft)
            return
        try:
            begun = StoreCard.from_json(decode_json(draft.read_bytes()))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreCorruptError(
                f"{display_path(draft)} cannot be read ({error}); delete the folder it is in"
            ) from error
        shown = f"the unfinished {display_path(self._folder)}"
        Declared(shown, begun, f"delete {display_path(self._partial)}").require(self._card)
        self._take_over(begun)


@contextlib.contextmanager
def _storage(folder: Path) -> Generator[None]:
    """Turn a refusal of the disk into one sentence."""
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        raise StorageError(
            f"cannot write {display_path(folder)}: {error.strerror or error}"
        ) from error
