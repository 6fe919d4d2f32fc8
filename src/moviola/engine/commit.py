"""Commit the finished units of a run to a library, while work goes on and again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from moviola.core import FileCode, SpaceMismatchError, StoreCorruptError
from moviola.core.paths import library_path
from moviola.engine.run_plan import RunPlan, Shard
from moviola.engine.run_store import RunStore
from moviola.library import FailedFile, Library, LibraryWriter, VideoRecord
from moviola.pipeline.index.opening import Loader, locked_library, prepare
from moviola.pipeline.index.unit import IndexedVideo, add_video
from moviola.pipeline.index.unit_file import unpack_unit
from moviola.pipeline.passages.channels import choose_channels
from moviola.pipeline.search.aligned_encoder import load_aligned
from moviola.retrieve.calibration.judges import prepare_judging


@dataclass(frozen=True, slots=True)
class CommitReport:
    """Count what a library holds of a run: `ok + partial + failed + waiting` is all of it.

    Attributes:
        ok: contents read whole.
        partial: contents of which a part could be read.
        failed: contents that could not be used; `failures` says why.
        waiting: contents of shards that are not finished, or have to be done again.
        damaged: how many shard files were not what was written; they were deleted, so that the
            next worker does them again.
        failures: one entry a failed content.
    """

    ok: int
    partial: int
    failed: int
    waiting: int
    damaged: int
    failures: tuple[FailedFile, ...]


def commit_run(
    store: RunStore,
    plan: RunPlan,
    library: Path | None = None,
    *,
    load: Loader = load_aligned,
    on_progress: Callable[[int, int], object] = lambda _done, _total: None,
) -> CommitReport:
    """Add to a library what workers have finished; it may be called while they work, and again.

    Every file is compared with its checksum. What the library holds already is left as it is.

    Args:
        store: of the run.
        plan: of the run.
        library: the library's folder, made if it is not there; None means the usual one.
        load: loads an encoder by its name, head and precision.
        on_progress: called with the number of shards looked at, and of all.

    Raises:
        SpaceMismatchError: when the library, or the model here, is another than the run's.
        LibraryLockedError: when another process is writing to the library.
        StorageError: when it cannot be written.
    """
    place, settings = library_path(library), plan.settings
    with locked_library(place) as (existing, held):
        card = None if existing is None else existing.card
        channels = choose_channels(card, settings.channels, settings.without_channels)
        opened, encoder, _ = prepare(
            place,
            existing,
            held,
            model=settings.model,
            segment=settings.segment,
            head=settings.head,
            precision=settings.precision,
            load=load,
            rows=settings.rows or None,
        )
        if opened.card.space.digest != plan.space:
            raise SpaceMismatchError(
                f"the library's model {opened.card.model} is not the one that the run was planned "
                "with; commit to another library, or plan again"
            )
        with opened.writer(held=held) as writer:
            opened.record_codecs(settings.codecs)
            opened.record_channels(channels.known)
            merge = _Merge(store, plan, opened, writer)
            for done, shard in enumerate(plan.shards, start=1):
                merge.take(shard)
                on_progress(done, len(plan.shards))
            merge.take_failures()
    opened.refresh()
    if encoder is not None and not merge.waiting:
        prepare_judging(opened, encoder)
    return merge.report()


@dataclass(slots=True)
class _Merge:
    """Add units to a library, each video once."""

    store: RunStore
    plan: RunPlan
    library: Library
    writer: LibraryWriter
    waiting: int = 0
    damaged: int = 0
    records: dict[str, VideoRecord] = field(default_factory=dict[str, VideoRecord])

    def take(self, shard: Shard) -> None:
        """Add the videos of a shard, if it is finished and not in the library yet."""
        known = [self.writer.record(video.id) for video in shard.videos]
        there = [record for record in known if record is not None and record.code.has_clips]
        if len(there) == len(shard.videos):
            self.records |= {record.id: record for record in there}
            return
        data = self.store.read(shard.file)
        try:
            videos, precision = ([], "") if data is None else self._unpacked(data, shard)
        except StoreCorruptError:
            self.store.delete(shard.file)
            self.damaged += 1
            videos, precision = [], ""
        if not videos:
            self.waiting += len(shard.videos)
            return
        if precision and any(found.spans for found in videos):
            self.library.record_precision(precision)
        for found in videos:
            self._add(found)

    def take_failures(self) -> None:
        """Record the inputs that could not be read when the run was planned."""
        for record in self.plan.failures:
            self._add(IndexedVideo.failure(record))

    def _unpacked(self, data: bytes, shard: Shard) -> tuple[Sequence[IndexedVideo], str]:
        videos, precision = unpack_unit(data, self.plan.space)
        if {found.record.id for found in videos} != {video.id for video in shard.videos}:
            raise StoreCorruptError(f"the file of unit {shard.name} holds other videos")
        return videos, precision

    def _add(self, found: IndexedVideo) -> None:
        known = self.writer.record(found.record.id)
        if known is not None and _is_same(known, found.record):
            self.records[known.id] = known
            return
        self.records[found.record.id] = add_video(self.writer, found)

    def report(self) -> CommitReport:
        """Count over all contents of the run."""
        codes = Counter(record.code for record in self.records.values())
        ok, partial = codes[FileCode.OK], codes[FileCode.OK_PARTIAL]
        return CommitReport(
            ok=ok,
            partial=partial,
            failed=len(self.records) - ok - partial,
            waiting=self.waiting,
            damaged=self.damaged,
            failures=tuple(self._failures()),
        )

    def _failures(self) -> Iterator[FailedFile]:
        for record in self.records.values():
            if record.code.is_failure:
                yield FailedFile(record.path, record.code, record.message)


def _is_same(known: VideoRecord, found: VideoRecord) -> bool:
    """Test whether the library holds this result: better than a failure it is left as it is."""
    if known.code.has_clips:
        return True
    names = {name.path for name in known.names}
    return known.code is found.code and all(name.path in names for name in found.names)
