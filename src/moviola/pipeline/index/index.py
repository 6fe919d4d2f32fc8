"""Index folders of videos: scan, plan, decode, encode, commit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from moviola.core import (
    Clip,
    Encoder,
    FileCode,
    Precision,
    Segmenter,
    clip_id,
    own_calibration,
    told_precision,
    wanted_size,
    wanted_sound,
)
from moviola.library import (
    FailedFile,
    Library,
    LibraryCard,
    LibraryWriter,
    NewVideo,
    Plan,
    VideoRecord,
    scan,
)
from moviola.library.library import HEAD_NAME
from moviola.pipeline.encode.streaming import EncodedVideo, encode_stream
from moviola.pipeline.media.sprites import SpriteCache, draw_poster, draw_sprite
from moviola.pipeline.models import DEFAULT_MODEL
from moviola.pipeline.search.aligned_encoder import AlignedEncoder, head_of, load_aligned
from moviola.plugins import settled_name
from moviola.retrieve.calibration.judges import prepare_judging
from moviola.video import (
    VIDEO_SUFFIXES,
    ClipRead,
    DecodePool,
    Limits,
    ReadRequest,
    parse_segmenter,
    require_decoders,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEFAULT_SEGMENT = "windows:6/3"


@dataclass(frozen=True, slots=True)
class IndexReport:
    """Count what became of every input: `ok + partial + failed + skipped` is their number.

    Attributes:
        ok: files read whole.
        partial: files of which a part could be read, and can be searched.
        failed: files that could not be used; `failures` says why.
        skipped: files unchanged or moved since the last run, and copies of one that is there.
        clips: clips of these inputs that are in the library now.
        failures: one entry a failed file.
        warnings: sentences about folders that could not be listed, and mixed precisions.
    """

    ok: int
    partial: int
    failed: int
    skipped: int
    clips: int
    failures: tuple[FailedFile, ...]
    warnings: tuple[str, ...]

    @property
    def inputs(self) -> int:
        """Count the inputs."""
        return self.ok + self.partial + self.failed + self.skipped


@dataclass(frozen=True, slots=True)
class IndexStep:
    """Say how far a run has come.

    Attributes:
        done: videos finished, failed ones included.
        total: videos to decode in this run.
        clips: clips added so far.
        failed: files that could not be used so far.
    """

    done: int
    total: int
    clips: int
    failed: int


def index(
    paths: Sequence[Path | str],
    *,
    library: Path | str,
    model: str | None = None,
    segment: str | None = None,
    head: Path | str | None = None,
    retry: bool = False,
    precision: Precision | None = None,
    workers: int | None = None,
    extra_codecs: tuple[str, ...] = (),
    on_progress: Callable[[IndexStep], Any] = lambda _: None,
) -> IndexReport:
    """Bring a library up to date with folders of videos.

    Unchanged files are not read, moved ones are recognised by content, deleted ones are marked.
    Every batch is committed as it is made, so that a run may be cut short at any time.

    Args:
        paths: folders of videos, or files.
        library: the library's folder; made if it is not there.
        model: the encoder's name; None takes the library's own, or `DEFAULT_MODEL` for a new
            one.
        segment: how videos are cut; None takes the library's own, or `windows:6/3`.
        head: folder or hub id of a head that a new library's vectors shall go through; it is kept
            in the library. None takes the library's own, where it has one.
        retry: also try what failed before.
        precision: that the model computes in; None takes that of the device.
        workers: decoding processes; None decides by the number of cores.
        extra_codecs: names of FFmpeg decoders to allow beyond the built-in list; the library
            remembers them, so that videos that needed them are shown too.
        on_progress: called after every video.

    Raises:
        FileNotFoundError: when one of `paths` is not there.
        SpaceMismatchError: when the library was made by another model or policy.
        LibraryLockedError: when another process is writing to it.
        StorageError: when it cannot be written; nothing is decoded before that is known.
        PluginNotFoundError: when there is no such model.
        WeightsUnavailableError: when its weights are neither here nor to be had.
        ValueError: when `segment` is no policy, or FFmpeg has no decoder of a name.
    """
    require_decoders(extra_codecs)
    named = [Path(path) for path in paths]
    for path in named:
        if not path.exists() and not path.is_symlink():
            raise FileNotFoundError(f"there is nothing at {path}; name a folder or a video file")
    opened, encoder, segmenter = _prepare(Path(library), model, segment, head, precision)
    with opened.writer() as writer:
        # What failed for want of a codec may be read now.
        news = set(extra_codecs) - set(opened.card.codecs)
        opened.record_codecs(extra_codecs)
        plan = writer.plan(scan(named, VIDEO_SUFFIXES), retry=retry or bool(news))
        if plan.decode:
            opened.record_precision(told_precision(encoder, "clips") or "")
        run = _Run(opened.path, writer, encoder, plan, on_progress)
        with DecodePool(workers, Limits(extra_codecs=opened.card.codecs)) as pool:
            run.decode(pool, segmenter)
    opened.refresh()
    prepare_judging(opened, encoder)
    return run.report(opened)


def _prepare(
    place: Path,
    model: str | None,
    segment: str | None,
    head: Path | str | None,
    precision: Precision | None,
) -> tuple[Library, Encoder, Segmenter]:
    """Open or make the library, with the encoder and the policy that belong to it."""
    existing = _opened(place)
    card = existing.card if existing else None
    name = model or (card.model if card else DEFAULT_MODEL)
    segmenter = parse_segmenter(segment or (card.segment if card else DEFAULT_SEGMENT))
    encoder = load_aligned(name, head or head_of(place), precision)
    if existing is None:
        # The head before the card, with which a library begins to be one.
        if isinstance(encoder, AlignedEncoder):
            encoder.head.save_pretrained(place / HEAD_NAME)
        existing = Library.create(place, _card(name, encoder, segmenter))
    existing.require(
        space=encoder.space,
        video_readout=encoder.video_readout,
        text_readout=encoder.text_readout,
        segment=segmenter.spec,
    )
    return existing, encoder, segmenter


def _opened(place: Path) -> Library | None:
    try:
        return Library.open(place)
    except FileNotFoundError:
        return None


def _card(name: str, encoder: Encoder, segmenter: Segmenter) -> LibraryCard:
    calibration = own_calibration(encoder)
    return LibraryCard(
        model=settled_name(name, encoder.space.revision),
        space=encoder.space,
        video_readout=encoder.video_readout,
        text_readout=encoder.text_readout,
        segment=segmenter.spec,
        calibration=(calibration.slope, calibration.intercept) if calibration else None,
        precision=told_precision(encoder, "clips") or "",
    )


class _Run:
    """Carry out one plan: decode, encode, add, and report."""

    def __init__(
        self,
        library: Path,
        writer: LibraryWriter,
        encoder: Encoder,
        plan: Plan,
        on_progress: Callable[[IndexStep], Any],
    ) -> None:
        self._sprites = SpriteCache(library)
        self._writer = writer
        self._encoder = encoder
        self._plan = plan
        self._on_progress = on_progress
        self._codes: list[tuple[NewVideo, VideoRecord]] = []
        self._clips = 0

    def decode(self, pool: DecodePool, segmenter: Segmenter) -> None:
        """Decode, encode and add everything that the plan wants decoded."""
        wanted = {video.id: video for video in self._plan.decode}
        sampler, sound = self._encoder.sampler, wanted_sound(self._encoder)
        requests = (
            ReadRequest(video.id, video.path, segmenter, sampler, sound)
            for video in self._plan.decode
        )
        for result in encode_stream(pool, requests, self._encoder, on_clip=self._draw):
            video = wanted[str(result.done.key)]
            self._codes.append((video, self._add(video, result)))
            self._tell()
        self._writer.commit()

    def _draw(self, read: ClipRead) -> None:
        """Keep small pictures of what the encoder sees, while it is at hand."""
        video = str(read.key)
        clip = clip_id(video, read.span)
        self._sprites.keep(video, clip, draw_sprite(read.frames))
        if wanted_size(self._encoder.sampler) is None:  # else their shape is not the video's
            self._sprites.keep_poster(video, clip, draw_poster(read.frames, read.span.middle))

    def _add(self, video: NewVideo, result: EncodedVideo[NDArray[np.float32]]) -> VideoRecord:
        code, message, info = result.done.code, result.done.message, result.done.info
        if code.has_clips and not video.files[0].is_unchanged():
            code = FileCode.CHANGED_WHILE_READING
            message = "the file changed while it was read; index again when it is at rest"
        if code.is_failure or info is None:
            self._sprites.drop(video.id)
            record = video.failure(code, message, info)
            self._writer.fail(record)
            return record
        clips = [Clip(clip_id(video.id, span), video.path, span) for span in result.spans]
        if any(len(rows) != 1 for rows in result.rows):
            raise ValueError(
                "a library holds one row a clip, and this encoder gives several; choose a pooling"
            )
        record = replace(video.record(info, code), message=message)
        record = self._writer.add(record, clips, np.concatenate(result.rows))
        self._clips += record.clips
        return record

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
            warnings=(
                *(entry.message for entry in self._plan.folders),
                *_mixed(library.card.precision, decoded=bool(done)),
            ),
        )

    def _new_failures(self) -> Iterator[FailedFile]:
        for video, record in self._codes:
            if record.code.is_failure:
                for file in video.files:
                    yield FailedFile(file.path, record.code, record.message)

    def _inputs(self) -> Iterator[Path]:
        for video in self._plan.decode:
            yield from (file.path for file in video.files)
        for files in (self._plan.unchanged, self._plan.moved, self._plan.duplicates):
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
