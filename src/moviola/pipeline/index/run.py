"""Carry out the plan of an index run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

from moviola.core import (
    Encoder,
    FileCode,
    Frames,
    Segmenter,
    Span,
    VideoUnreadableError,
    clip_id,
    wanted_size,
)
from moviola.library import FailedFile, Library, LibraryWriter, NewVideo, Plan, VideoRecord
from moviola.library.identity import is_sampled, whole_id
from moviola.pipeline.encode.stages import StageSeconds
from moviola.pipeline.index.channel_run import ChannelRun
from moviola.pipeline.index.report import IndexReport, IndexStep
from moviola.pipeline.index.unit import IndexedVideo, UnitTools, add_video, index_videos
from moviola.pipeline.media.sprites import (
    POSTER_LONGEST,
    SpriteCache,
    draw_poster,
    draw_sprite,
)
from moviola.video import DecodePool, Previews


class IndexRun:
    """Carry out one plan: decode, encode, add, and report."""

    def __init__(
        self,
        library: Path,
        writer: LibraryWriter,
        plan: Plan,
        channels: ChannelRun,
        on_progress: Callable[[IndexStep], Any],
        *,
        rows: str = "",
    ) -> None:
        """Take `rows`, the pooling of the rows that clips of the library keep; `""` for none."""
        self._sprites = SpriteCache(library)
        self._rows = rows
        self._writer = writer
        self._plan = plan
        self._channels = channels
        self._on_progress = on_progress
        self._codes: list[tuple[NewVideo, VideoRecord]] = []
        self._clips = 0
        self.seconds = StageSeconds()

    def index(self, pool: DecodePool, encoder: Encoder | None, segmenter: Segmenter) -> None:
        """Index and add everything that the plan wants decoded; through channels alone, if None."""
        wanted = {video.id: video for video in self._plan.decode}
        tools = UnitTools(pool, encoder, segmenter, self._channels, self._rows, self.seconds)
        # Posters are of the shape of the video, unless the sampler wants another.
        posters = encoder is not None and wanted_size(encoder.sampler) is None

        def previews(video: NewVideo) -> Previews:
            return Previews(POSTER_LONGEST, partial(self._draw, video.id, posters=posters))

        with closing(index_videos(self._plan.decode, tools, previews)) as videos:
            for found in videos:
                with self.seconds.spent_on("write"):
                    self._add(wanted[found.record.id], found)
                self._tell()
        with self.seconds.spent_on("write"):
            self._writer.commit()

    def digest_large(self) -> None:
        """Read new large files whole, after everything else: blocks of them gave their names.

        With that `index --rehash` finds a file that changed between its blocks.
        """
        for video, record in self._codes:
            if not record.code.is_failure and is_sampled(video.id):
                with suppress(VideoUnreadableError):  # the next whole reading learns it
                    self._writer.note_digest(video.id, whole_id(video.files[0]))

    def _draw(self, video: str, span: Span, small: Frames, *, posters: bool) -> None:
        """Keep small pictures of what the encoder sees, while it is at hand; in any thread."""
        clip = clip_id(video, span)
        self._sprites.keep(video, clip, draw_sprite(small))
        if posters:
            self._sprites.keep_poster(video, clip, draw_poster(small, span.middle))

    def _add(self, video: NewVideo, found: IndexedVideo) -> None:
        record = add_video(self._writer, found)
        if record.code.is_failure:
            self._sprites.drop(video.id)
        self._codes.append((video, record))
        self._clips += record.clips

    def _tell(self) -> None:
        failed = sum(record.code.is_failure for _, record in self._codes)
        self._on_progress(
            IndexStep(
                len(self._codes),
                len(self._plan.decode),
                self._clips,
                failed + len(self._plan.failed),
            )
        )

    def report(self, library: Library) -> IndexReport:
        """Count over all inputs of the plan."""
        done = [record for _, record in self._codes]
        failures = [*self._plan.failed, *self._new_failures()]
        copies = sum(len(video.files) - 1 for video, r in self._codes if r.code.has_clips)
        return IndexReport(
            ok=sum(record.code is FileCode.OK for record in done),
            partial=sum(record.code is FileCode.OK_PARTIAL for record in done),
            failed=len(failures),
            skipped=self._plan.skipped + copies,
            clips=_clips_of(library, self._inputs()),
            failures=tuple(failures),
            failed_before=self._plan.failed_before,
            warnings=(
                *(entry.message for entry in self._plan.folders),
                *_mixed(library.card.precision, decoded=bool(done)),
            ),
            seconds=self.seconds if done else None,
            channels=self._channels.counts(),
        )

    def _new_failures(self) -> Iterator[FailedFile]:
        for video, record in self._codes:
            if record.code.is_failure:
                for file in video.files:
                    yield FailedFile(file.path, record.code, record.message)

    def _inputs(self) -> Iterator[Path]:
        for video in self._plan.decode:
            yield from (file.path for file in video.files)
        yield from known_inputs(self._plan)


def known_inputs(plan: Plan) -> Iterator[Path]:
    """Yield the inputs that the library held before the run."""
    for files in (plan.unchanged, plan.moved, plan.duplicates):
        yield from (file.path for file in files)


def _mixed(precision: str, *, decoded: bool) -> Iterator[str]:
    """Tell of a library that holds several precisions, where this run added vectors."""
    if decoded and ", " in precision:
        yield (
            f"this library now holds vectors computed in several precisions ({precision}); "
            f"they may be compared, and --precision keeps later runs to one of them"
        )


def _clips_of(library: Library, paths: Iterable[Path]) -> int:
    wanted = set(paths)
    return sum(
        record.clips
        for record in library.videos()
        if any(name.path in wanted for name in record.names)
    )
