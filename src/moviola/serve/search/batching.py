"""Encode texts and multiply vectors of many searches at once, in batches.

Whoever asks alone is answered at once. While a batch is worked on, the next one gathers, so that
a hundred people who type at the same time cost little more than a few.
"""

from __future__ import annotations

import queue
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from moviola.retrieve.products import score_directions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from moviola.library import Snapshot

# Everybody waits for the batch, but ranking what was found beside the encoding of the next batch
# takes longer than ranking it afterwards: both need Python's lock.
_MOST_TOGETHER = 128
_ENCODED_TOGETHER = 32
_TEXTS_KEPT = 4096
_CLOSED = "the server is going down"


@dataclass(slots=True)
class _Job:
    """Texts and pictures that one search wants multiplied with one snapshot."""

    snapshot: Snapshot
    texts: Sequence[str]
    pictures: Sequence[NDArray[np.float32]]
    answer: Future[list[NDArray[np.float32]]] = field(default_factory=Future)


class Batcher:
    """Encode and multiply in one thread for all the others."""

    def __init__(self, encode: Callable[[Sequence[str]], list[NDArray[np.float32]]]) -> None:
        """Take `encode`, which gives a direction `(D,)` a text; one thread only calls it."""
        self._encode = encode
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._known: OrderedDict[str, NDArray[np.float32] | Exception] = OrderedDict()
        self._thread = threading.Thread(target=self._run, name="moviola-ask", daemon=True)
        self._thread.start()

    def scores(
        self,
        snapshot: Snapshot,
        texts: Sequence[str],
        pictures: Sequence[NDArray[np.float32]] = (),
    ) -> list[NDArray[np.float32]]:
        """Score all clips, `(n,)`, on each text, then on each picture's direction `(D,)`.

        Raises:
            ValueError: when a text cannot be encoded.
            RuntimeError: when the batcher was closed.
        """
        if not texts and not pictures:
            return []
        job = _Job(snapshot, texts, pictures)
        self._jobs.put(job)
        return job.answer.result()

    def close(self) -> None:
        """End the thread after what it has in hand; who waits is told."""
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        """Take jobs together until the batcher is closed."""
        while (job := self._jobs.get()) is not None:
            jobs = [job]
            open_ = True
            size = _evenly(1 + self._jobs.qsize(), _MOST_TOGETHER)
            while len(jobs) < size and not self._jobs.empty():
                more = self._jobs.get()
                if more is None:
                    open_ = False
                    break
                jobs.append(more)
            self._work(jobs)
            if not open_:
                break
        while not self._jobs.empty():
            job = self._jobs.get()
            if job is not None:
                job.answer.set_exception(RuntimeError(_CLOSED))

    def _work(self, jobs: list[_Job]) -> None:
        """Answer jobs, each with the snapshot it asks about."""
        try:
            self._learn({text for job in jobs for text in job.texts})
            for snapshot in {id(job.snapshot): job.snapshot for job in jobs}.values():
                self._answer(snapshot, [job for job in jobs if job.snapshot is snapshot])
            while len(self._known) > _TEXTS_KEPT:
                self._known.popitem(last=False)
        except Exception as error:  # noqa: BLE001 -- told to those who wait, the thread lives on
            for job in jobs:
                if not job.answer.done():
                    job.answer.set_exception(error)

    def _learn(self, texts: set[str]) -> None:
        """Encode what is not known yet, together; one by one where that fails."""
        # Those of a length together: each batch is padded to its longest.
        new = sorted((text for text in texts if text not in self._known), key=len)
        size = _evenly(len(new), _ENCODED_TOGETHER)
        for first in range(0, len(new), size):
            part = new[first : first + size]
            try:
                self._known.update(zip(part, self._encode(part), strict=True))
            except Exception:  # noqa: BLE001 -- one strange text must not fail those beside it
                for text in part:
                    try:
                        (self._known[text],) = self._encode([text])
                    except Exception as error:  # noqa: BLE001 -- told to those who asked for it
                        self._known[text] = error

    def _answer(self, snapshot: Snapshot, jobs: list[_Job]) -> None:
        """Multiply all rows of the jobs about one snapshot at once."""
        ready: list[tuple[_Job, list[NDArray[np.float32]]]] = []
        for job in jobs:
            rows = [self._known[text] for text in job.texts]
            wrong = next((row for row in rows if isinstance(row, Exception)), None)
            if wrong is not None:
                job.answer.set_exception(wrong)
                continue
            ready.append((job, [r for r in rows if not isinstance(r, Exception)] + [*job.pictures]))
        if not ready:
            return
        # All together: the matrix does not fit into any cache, so each reading of it costs as much
        # as multiplying dozens of rows.
        scores = score_directions([row for _, rows in ready for row in rows], snapshot)
        left = iter(scores)
        for job, rows in ready:
            job.answer.set_result([next(left) for _ in rows])


def _evenly(count: int, most: int) -> int:
    """Choose the size of equal batches of at most `most`: few texts cost half of a full batch."""
    return -(-count // -(-count // most)) if count else 1
