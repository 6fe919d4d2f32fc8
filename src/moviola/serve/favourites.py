"""Keep the moments that people marked, so that they can be evaluated on.

One JSON file in the library's folder, written whole or not at all. From it follow the TREC qrels
and the TREC run that `moviola evaluate-run RUN --relevance QRELS` reads.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from moviola.core import StoreCorruptError, display_path
from moviola.library.storage.state_files import FAVOURITES, read_state, write_state

MOST = 10_000


@dataclass(frozen=True, slots=True)
class Favourite:
    """One judgement on a moment.

    Attributes:
        id: follows from query and clip.
        query: the words that were searched for.
        clip: the best clip of the moment.
        video: its video.
        start: seconds.
        end: seconds.
        relevant: whether the moment answers the query.
        saved: when (ISO 8601, UTC).
    """

    id: str
    query: str
    clip: str
    video: str
    start: float
    end: float
    relevant: bool
    saved: str

    @classmethod
    def of(
        cls, query: str, clip: str, video: str, start: float, end: float, *, relevant: bool
    ) -> Favourite:
        """Make a judgement now."""
        key = hashlib.blake2b(f"{clip}:{query}".encode(errors="replace"), digest_size=8)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(f"s-{key.hexdigest()}", query, clip, video, start, end, relevant, now)


class Favourites:
    """Keep all judgements of one library."""

    def __init__(self, library: Path) -> None:
        self._path = library / FAVOURITES
        self._lock = Lock()

    def all(self) -> list[Favourite]:
        """Read every judgement, oldest first.

        Raises:
            StoreCorruptError: when the file cannot be understood.
        """
        try:
            rows: list[dict[str, Any]] = read_state(self._path)
            return [Favourite(**row) for row in rows]
        except FileNotFoundError:
            return []
        except (ValueError, TypeError) as error:
            raise StoreCorruptError(
                f"the favourites {display_path(self._path)} are damaged ({error}); restore that "
                "file from a backup, or move it away"
            ) from error

    def add(self, new: Favourite) -> None:
        """Keep a judgement, in place of an earlier one on the same query and clip.

        Raises:
            ValueError: when there are too many.
            StorageError: when it cannot be written.
        """
        with self._lock:
            kept = [old for old in self.all() if old.id != new.id]
            if len(kept) >= MOST:
                raise ValueError(f"there are {MOST} favourites; remove some first")
            self._write([*kept, new])

    def remove(self, number: str) -> bool:
        """Forget a judgement; tell whether there was one."""
        with self._lock:
            found = self.all()
            kept = [old for old in found if old.id != number]
            if len(kept) == len(found):
                return False
            self._write(kept)
            return True

    def _write(self, rows: Sequence[Favourite]) -> None:
        """Write all judgements, whole or not at all."""
        write_state(self._path, [asdict(row) for row in rows])


def queries_of(favourites: Iterable[Favourite]) -> dict[str, str]:
    """Map the ids of queries to their words; the ids follow from the words."""
    return {query_id(found.query): found.query for found in favourites}


def query_id(words: str) -> str:
    """Make the id of a query in qrels and runs."""
    return "q-" + hashlib.blake2b(words.encode(errors="replace"), digest_size=6).hexdigest()


def qrels_text(favourites: Iterable[Favourite]) -> str:
    """Write TREC qrels, query to video: 1 where a moment of it was marked as right, else 0."""
    grades: dict[tuple[str, str], int] = {}
    for found in favourites:
        key = query_id(found.query), found.video
        grades[key] = max(grades.get(key, 0), int(found.relevant))
    return "".join(f"{query} 0 {video} {grade}\n" for (query, video), grade in grades.items())
