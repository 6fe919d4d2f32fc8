"""Rescue a damaged library: keep every row that is what was written, in new tables.

The new tables are made beside the damaged ones and put in their place when they are complete, so
that a kill at any moment leaves something that can be rescued again.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from moviola.core import StoreCorruptError, display_path
from moviola.library.absence import has_no_file
from moviola.library.records import VideoRecord
from moviola.library.storage.bit_flips import mend_flip
from moviola.library.storage.card import (
    CARD_NAME,
    SCHEMA,
    LibraryCard,
    changed_parts,
    sync_folder,
    write_atomically,
)
from moviola.library.storage.passage_rows import PASSAGES, passages_schema
from moviola.library.storage.row_checks import Problem
from moviola.library.storage.schema import (
    CLIPS,
    VIDEOS,
    clips_schema,
    video_records,
    video_rows,
    videos_schema,
)
from moviola.library.storage.seals import (
    SEALS_NAME,
    Seals,
    changed_files,
    current_manifests,
    table_files,
)
from moviola.library.storage.tables import Tables, faults
from moviola.library.storage.verifying import (
    CHECKS,
    channel_problems,
    count_channels,
    count_problems,
    find_problems,
)

if TYPE_CHECKING:
    import pyarrow as pa
    from lancedb.table import Table

# New tables while they are made, and once they are complete.
_UNFINISHED = "rescued.new"
RESCUED = "rescued"
# Rows that are given up together where they cannot be read.
_LEAST = 16


@dataclass(frozen=True, slots=True)
class Rescue:
    """Say what was done to a damaged library.

    Attributes:
        redo: the videos that are to be encoded again, each with what was wrong with it.
        partial: the ids of those of them that keep the clips that are sound, for their files are
            gone.
        is_rebuilt: whether tables were made again.
    """

    redo: tuple[Problem, ...] = ()
    partial: frozenset[str] = frozenset()
    is_rebuilt: bool = False


def rescue(folder: Path) -> Rescue:
    """Make the library in `folder` sound: all that it holds afterwards is what was written.

    Only for the one who holds the lock.

    Raises:
        StorageError: when there is no room or no permission.
        StoreCorruptError: when its card is damaged and there is no copy of it.
    """
    _put_in_place(folder)
    shutil.rmtree(folder / _UNFINISHED, ignore_errors=True)
    seals = _seals_of(folder)
    card = _rescued_card(folder, seals)
    _restore_lists(folder, seals)
    for name in changed_files(folder, seals, {}):
        if (folder / name).is_file():
            mend_flip(folder / name, seals.files[name])
    problems: list[Problem] = []
    with suppress(StoreCorruptError):  # found again, and said, when the tables are rescued
        problems = find_problems(Tables.open(folder), deep=True)
        if all(problem.is_derived for problem in problems):
            if problems:
                _tidy_away(folder, problems)
            return Rescue()
    sound, wrong = _sound_rows(folder, card)
    records, redo, partial = _without_damaged(sound, wrong)
    videos = video_rows(records, card.space.digest)
    _rebuild(folder, replace(card, schema=SCHEMA), {**sound, VIDEOS: videos})
    return Rescue(tuple(redo), partial, is_rebuilt=True)


def _seals_of(folder: Path) -> Seals:
    with suppress(StoreCorruptError):
        return Seals.read(folder) or Seals()
    return Seals()


def _rescued_card(folder: Path, seals: Seals) -> LibraryCard:
    """Read the card, or put its copy in its place."""
    try:
        card = LibraryCard.read(folder)
        if not changed_parts(folder):
            return card
    except (FileNotFoundError, StoreCorruptError):
        if CARD_NAME not in seals.copies:
            raise
    if CARD_NAME not in seals.copies:
        raise StoreCorruptError(
            f"the card {display_path(folder / CARD_NAME)} is damaged and there is no copy of it; "
            "restore that file from a backup, or index into a new library with --library"
        )
    write_atomically(folder / CARD_NAME, seals.copies[CARD_NAME])
    return LibraryCard.read(folder)


def _restore_lists(folder: Path, seals: Seals) -> None:
    """Put the copies of damaged lists of rows in their place, unless a writer had gone on."""
    there = current_manifests(set(table_files(folder)))
    for name, held in seals.copies.items():
        table = name.partition(".lance/")[0]
        if name == CARD_NAME or there.get(table, (0, ""))[0] > seals.versions[table]:
            continue
        path = folder / name
        if not path.is_file() or path.read_bytes() != held:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, held)


def _tidy_away(folder: Path, problems: list[Problem]) -> None:
    """Delete damaged files that nobody reads, and seal what is there."""
    for problem in problems:
        if problem.path is not None and problem.path.parts[0].endswith(".lance"):
            (folder / problem.path).unlink(missing_ok=True)
    Seals.of(folder, Seals()).write(folder)


def _sound_rows(
    folder: Path, card: LibraryCard
) -> tuple[dict[str, pa.Table], dict[str, list[Problem]]]:
    """Read what can be read of each table, and check it row by row."""
    import pyarrow as pa

    problems: dict[str, list[Problem]] = {}
    sound: dict[str, pa.Table] = {}
    dimension, kind = card.space.dimension, card.vector_type
    empty = {
        VIDEOS: videos_schema().empty_table(),
        CLIPS: clips_schema(dimension, kind, rows=bool(card.rows)).empty_table(),
        PASSAGES: passages_schema().empty_table(),
    }
    for name, check in CHECKS.items():
        table = _opened(folder, name)
        parts = [] if table is None else list(_readable(folder, table, 0, table.count_rows()))
        rows = pa.concat_tables(parts) if parts else empty[name]
        sound[name], problems[name] = check(rows)
    return sound, problems


def _opened(folder: Path, name: str) -> Table | None:
    """Open a table at the latest version whose manifest can be read; None where there is none."""
    import lancedb

    while True:
        try:
            with faults(folder):
                return lancedb.connect(str(folder)).open_table(name)
        except StoreCorruptError:
            found = current_manifests(set(table_files(folder))).get(name)
            if found is None:
                return None
            (folder / found[1]).unlink()


def _readable(folder: Path, table: Table, first: int, last: int) -> Iterator[pa.Table]:
    """Read the rows `first:last` of a table around those that cannot be read."""
    if first >= last:
        return
    try:
        with faults(folder):
            rows = table.search().offset(first).limit(last - first).to_arrow()
    except StoreCorruptError:
        if last - first > _LEAST:
            middle = (first + last) // 2
            yield from _readable(folder, table, first, middle)
            yield from _readable(folder, table, middle, last)
        return
    yield rows


def _without_damaged(
    sound: Mapping[str, pa.Table], wrong: Mapping[str, list[Problem]]
) -> tuple[list[VideoRecord], list[Problem], frozenset[str]]:
    """Take out the videos that must be encoded again, so that an index run meets them as new.

    One whose file is gone keeps the clips that are sound. A channel of which a passage is damaged
    loses its mark, so that it is read again.
    """
    records = {record.id: record for record in video_records(sound[VIDEOS])}
    counts = Counter(sound[CLIPS].column("video").to_pylist())
    redo = [*wrong[VIDEOS], *wrong[CLIPS]]
    redo += count_problems(records.values(), sound[CLIPS], redo)
    orphans = counts.keys() - records.keys() - {problem.video for problem in redo}
    lost = [Problem(f"the record of video {video} is lost", video) for video in sorted(orphans)]
    channels = list(channel_problems(records.values(), sound[PASSAGES], ()))
    found = [problem.of(records) for problem in (*redo, *lost, *channels)]
    for video in {problem.video for problem in redo if problem.video in records}:
        record = records.pop(str(video))
        if counts[record.id] and has_no_file(record):
            records[record.id] = replace(record, clips=counts[record.id])
    stored = count_channels(sound[PASSAGES])
    kept = [_with_whole_channels(record, stored) for record in records.values()]
    return kept, found, frozenset(problem.video for problem in redo if problem.video in records)


def _with_whole_channels(record: VideoRecord, stored: Mapping[tuple[str, str], int]) -> VideoRecord:
    kept = [mark for mark in record.channels if mark.passages == stored[record.id, mark.channel]]
    return replace(record, channels=tuple(kept))


def _rebuild(folder: Path, card: LibraryCard, rows: Mapping[str, pa.Table]) -> None:
    """Make tables of rows, and put them in the place of those that are there."""
    place = folder / _UNFINISHED
    place.mkdir()
    tables = Tables.create(place, card)
    tables.prepare_to_write()
    for name, held in rows.items():
        if held.num_rows:
            tables.upsert(getattr(tables, name), held)
    tables.sync()
    card.write(place)
    place.rename(folder / RESCUED)
    sync_folder(folder)
    _put_in_place(folder)


def _put_in_place(folder: Path) -> None:
    """Put complete new tables in the place of the damaged ones; also what a kill interrupted."""
    place = folder / RESCUED
    if not place.is_dir():
        return
    (folder / SEALS_NAME).unlink(missing_ok=True)
    for table in sorted(place.glob("*.lance")):
        shutil.rmtree(folder / table.name, ignore_errors=True)
        table.rename(folder / table.name)
    if (place / CARD_NAME).exists():
        (place / CARD_NAME).replace(folder / CARD_NAME)
    sync_folder(folder)
    Seals.of(folder, Seals()).write(folder)
    shutil.rmtree(place, ignore_errors=True)
