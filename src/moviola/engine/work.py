"""Work on the shards of a run: one unit after another, each written whole."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol

from moviola.core import FileCode, MoviolaError, StoreCorruptError
from moviola.engine.heartbeat import PATIENCE_SECONDS, Heartbeat
from moviola.engine.leases import LEASE_SECONDS, Lease, claim_shard
from moviola.engine.run_plan import RunPlan, Shard
from moviola.engine.run_store import RunStore
from moviola.library import NewVideo
from moviola.pipeline.index.unit import IndexedVideo
from moviola.pipeline.index.unit_file import pack_unit, unpack_unit

#: Workers that a video may kill before it is left out.
DEATHS = 3


class Indexer(Protocol):
    """Index videos, taken one after another, each yielded when it is finished."""

    @property
    def precision(self) -> str:
        """Tell what the model computes in, `""` where there is none."""
        ...

    def index(self, videos: Iterable[NewVideo]) -> Generator[IndexedVideo]:
        """Index videos."""
        ...


@dataclass(frozen=True, slots=True)
class WorkOptions:
    """Say how a worker waits.

    Attributes:
        lease: seconds without a sign of life after which another worker takes a shard.
        patience: seconds without progress after which a worker ends itself.
    """

    lease: float = LEASE_SECONDS
    patience: float = PATIENCE_SECONDS


@dataclass(frozen=True, slots=True)
class Worker:
    """Work on the shards of a run.

    Attributes:
        store: of the run.
        plan: of the run.
        indexer: indexes videos.
        options: how it waits.
    """

    store: RunStore
    plan: RunPlan
    indexer: Indexer
    options: WorkOptions = WorkOptions()

    def work_on_shard(self, number: int) -> bool:
        """Work on the shard of this number, whoever else does; return whether there was work.

        Raises:
            ValueError: when there is no such shard.
            StorageError: when the run cannot be written.
        """
        if not 0 <= number < len(self.plan.shards):
            raise ValueError(f"the run has shards 0 to {len(self.plan.shards) - 1}, not {number}")
        shard = self.plan.shards[number]
        while self.store.read(shard.file) is None:
            lease = claim_shard(self.store, shard.name, self.options.lease, is_forced=True)
            if lease is not None:
                self._carry_out(shard, lease)
                return True
        return False

    def work_on_claims(self, on_done: Callable[[Shard], object] = lambda _: None) -> int:
        """Claim one shard after another until none is left; return how many were done here.

        Shards that others hold are waited for, in case they fall silent.

        Raises:
            StorageError: when the run cannot be written.
        """
        count = 0
        while todo := unfinished(self.store, self.plan):
            # Workers that begin at different places seldom want the same shard.
            start = os.getpid() % len(todo)
            for shard in (*todo[start:], *todo[:start]):
                lease = claim_shard(self.store, shard.name, self.options.lease)
                if lease is not None:
                    self._carry_out(shard, lease)
                    count += 1
                    on_done(shard)
                    break
            else:
                time.sleep(min(1.0, self.options.lease / 10))
        return count

    def _carry_out(self, shard: Shard, lease: Lease) -> None:
        """Index the videos of a shard and write its file; with care where workers died on it."""
        options = self.options
        deaths = lease.deaths(options.lease)
        with Heartbeat(lease, every=options.lease / 4, patience=options.patience) as heartbeat:
            unit = _Unit(self, shard, heartbeat)
            if not deaths:
                unit.try_together()
            unit.take_singly(deaths, frozenset(_hung_alone(lease)))
            # Where another worker was faster, its file holds the same.
            data = pack_unit(unit.videos, self.plan.space, self.indexer.precision)
            self.store.create(shard.file, data)
            heartbeat.complete()
        unit.drop_parts()


def unfinished(store: RunStore, plan: RunPlan) -> list[Shard]:
    """List the shards whose result is not there."""
    there = store.names("units")
    return [shard for shard in plan.shards if f"{shard.name}.unit" not in there]


def _hung_alone(lease: Lease) -> Iterator[str]:
    """Yield the videos on which a worker hung that had begun no other."""
    for claim in lease.earlier:
        if claim.ended == "hung" and len(claim.videos) == 1:
            yield from claim.videos


class _Unit:
    """Gather the videos of one shard."""

    def __init__(self, worker: Worker, shard: Shard, heartbeat: Heartbeat) -> None:
        self._store = worker.store
        self._space = worker.plan.space
        self._indexer = worker.indexer
        self._shard = shard
        self._heartbeat = heartbeat
        self._done: dict[str, IndexedVideo] = {}

    @property
    def videos(self) -> Sequence[IndexedVideo]:
        """List what was indexed."""
        return list(self._done.values())

    def try_together(self) -> None:
        """Index all videos at once, several in flight; stop where one of them raises."""
        try:
            with closing(self._indexer.index(self._begun(self._shard.videos))) as found:
                for video in found:
                    self._done[video.record.id] = video
                    self._heartbeat.finish(video.record.id)
        except MoviolaError:
            raise  # what ails this machine, and would ail every video
        except Exception:  # noqa: BLE001 - whose fault it is shows when each is taken by itself
            return

    def take_singly(self, deaths: dict[str, int], hung: frozenset[str]) -> None:
        """Index what is left one by one; each is kept as soon as it is done."""
        for video in self._shard.videos:
            if video.id in self._done:
                continue
            if (found := self._part(video)) is None:
                if video.id in hung:
                    found = _left_out(video, FileCode.TIMEOUT, "indexing it never came to an end")
                elif deaths.get(video.id, 0) >= DEATHS:
                    why = f"{DEATHS} workers died while they indexed it"
                    found = _left_out(video, FileCode.DECODER_CRASH, why)
                else:
                    found = self._alone(video)
                if deaths:
                    data = pack_unit([found], self._space, self._indexer.precision)
                    self._store.write(self._part_name(video), data)
            self._done[video.id] = found
            self._heartbeat.finish(video.id)

    def drop_parts(self) -> None:
        """Delete what was kept of single videos."""
        for name in self._store.names(f"parts/{self._shard.name}"):
            self._store.delete(f"parts/{self._shard.name}/{name}")

    def _alone(self, video: NewVideo) -> IndexedVideo:
        try:
            with closing(self._indexer.index(self._begun([video]))) as found:
                return next(found)
        except MoviolaError:
            raise
        except MemoryError:
            return _left_out(video, FileCode.OUT_OF_MEMORY, "indexing it takes too much memory")
        except Exception as error:  # noqa: BLE001 - one video never stops the others
            why = f"indexing it raised {type(error).__name__}: {error}"
            return _left_out(video, FileCode.BAD_EMBEDDING, why)

    def _begun(self, videos: Iterable[NewVideo]) -> Iterator[NewVideo]:
        for video in videos:
            self._heartbeat.begin(video.id)
            yield video

    def _part(self, video: NewVideo) -> IndexedVideo | None:
        data = self._store.read(self._part_name(video))
        if data is None:
            return None
        try:
            videos, _ = unpack_unit(data, self._space)
        except StoreCorruptError:
            return None
        return videos[0]

    def _part_name(self, video: NewVideo) -> str:
        return f"parts/{self._shard.name}/{video.id}"


def _left_out(video: NewVideo, code: FileCode, why: str) -> IndexedVideo:
    return IndexedVideo.failure(video.failure(code, f"{video.path.name}: {why}"))
