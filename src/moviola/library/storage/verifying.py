"""Find what of a library is not as it was written: files by their seals, rows by their checksums.

Seals tell whether anything changed, and are compared whenever something is read. Where a file
changed, or was never sealed, the checksum that every row carries tells whose row it is: those rows
are shown to nobody. A table joins with one entry in `CHECKS`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from moviola.core import MoviolaError, StoreCorruptError
from moviola.library.records import VideoRecord
from moviola.library.storage.inspecting import Inspection, Inspector, damaged, place_of
from moviola.library.storage.passage_rows import PASSAGES
from moviola.library.storage.row_checks import Problem, check_clips, check_passages, check_videos
from moviola.library.storage.schema import CLIPS, VIDEOS, video_records
from moviola.library.storage.seals import SEALS_NAME, Seals
from moviola.library.storage.tables import Tables, faults

if TYPE_CHECKING:
    import pyarrow as pa

#: What finds the damaged rows of each table: gives the sound ones, and says what is wrong.
CHECKS: Mapping[str, Callable[[pa.Table], tuple[pa.Table, list[Problem]]]] = {
    VIDEOS: check_videos,
    CLIPS: check_clips,
    PASSAGES: check_passages,
}


def find_problems(tables: Tables, *, deep: bool = False) -> list[Problem]:
    """List everything wrong with the committed state that readers are shown.

    Clips that no record mentions are no problem: a killed writer may leave them, nobody sees
    them, and the next writer drops them.

    Args:
        tables: of the library.
        deep: also recompute the checksums of rows in files that did not change.
    """
    problems: list[Problem] = []
    try:
        Seals.read(tables.folder)
    except StoreCorruptError as error:
        problems.append(Problem(str(error), path=Path(SEALS_NAME), is_derived=True))
    try:
        _, found = Inspector(tables.folder).settle(tables)
        problems += _rows(tables, found, deep=deep)
    except MoviolaError as error:
        return [*problems, Problem(str(error))]
    if not problems:
        problems += [
            Problem(f"{name} is not what was written, and no row of it is damaged", path=Path(name))
            for name in sorted(found.changed)
            if place_of(name)[1] == "data"
        ]
    return problems + [
        Problem(
            f"{name} is not what was written; nobody reads it", path=Path(name), is_derived=True
        )
        for name in sorted(found.changed)
        if place_of(name)[1] != "data"
    ]


def refuse_damage(tables: Tables) -> None:
    """Go to the latest state, and refuse to write into a library that is damaged.

    A writer would give damaged rows new seals, and take clips for strays whose record is damaged.

    Raises:
        StoreCorruptError: naming the first of the damages and the command that mends them.
    """
    found = Inspector(tables.folder).latest(tables)
    problems = _rows(tables, found, deep=False)
    if problems:
        more = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
        raise StoreCorruptError(damaged(tables.folder, problems[0].what + more))


def read_sound(
    tables: Tables, table: str, found: Inspection, *, deep: bool = False
) -> tuple[pa.Table, list[Problem]]:
    """Read the rows of a table that are what was written, and say what is wrong with the others.

    Raises:
        StoreCorruptError: when they cannot be read.
    """
    rows = tables.read(getattr(tables, table))
    if not deep and not found.doubts(table):
        return rows, []
    return CHECKS[table](rows)


def count_problems(
    records: Iterable[VideoRecord], clips: pa.Table, named: Iterable[Problem]
) -> Iterator[Problem]:
    """Find the videos that have more or fewer clips than their record promises, but for `named`."""
    stored = Counter(clips.column("video").to_pylist())
    known = {problem.video for problem in named}
    for record in records:
        found = stored[record.id]
        if record.names and record.clips != found and record.id not in known:
            what = f"video {record.id} has {found} clips, its record promises {record.clips}"
            yield Problem(what, record.id)


def channel_problems(
    records: Iterable[VideoRecord], passages: pa.Table, named: Iterable[Problem]
) -> Iterator[Problem]:
    """Find the channels that have more or fewer passages than their mark promises; see above."""
    stored = count_channels(passages)
    known = {problem.video for problem in named}
    for record in records:
        for mark in record.channels if record.names and record.id not in known else ():
            found = stored[record.id, mark.channel]
            if mark.passages != found:
                yield Problem(
                    f"channel {mark.channel} of video {record.id} has {found} passages, its "
                    f"record promises {mark.passages}",
                    record.id,
                )


def count_channels(passages: pa.Table) -> Counter[tuple[str, str]]:
    """Count the passages of each channel of each video."""
    owners = passages.column("video").to_pylist()
    return Counter(zip(owners, passages.column("channel").to_pylist(), strict=True))


def _rows(tables: Tables, found: Inspection, *, deep: bool) -> list[Problem]:
    present = [name for name in CHECKS if getattr(tables, name) is not None]
    if not deep and not any(map(found.doubts, present)):
        return []
    sound: dict[str, pa.Table] = {}
    wrong: dict[str, list[Problem]] = {}
    for name in present:
        sound[name], wrong[name] = read_sound(tables, name, found, deep=deep)
    with faults(tables.folder):
        records = {record.id: record for record in video_records(sound[VIDEOS])}
        wrong[CLIPS] += count_problems(records.values(), sound[CLIPS], wrong[CLIPS])
        if PASSAGES in sound:
            marked = channel_problems(records.values(), sound[PASSAGES], wrong[PASSAGES])
            wrong[PASSAGES] += list(marked)
    return [problem.of(records) for problems in wrong.values() for problem in problems]
