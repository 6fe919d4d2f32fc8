"""Make facts, sheets, stills, previews and cuts of videos on demand.

Every file is read by worker processes. Sheets and previews are kept in the library's cache, under
names that say what they were made of, and may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from threading import Lock

from moviola.core import Frames, MoviolaError, Span, StorageError, clip_id
from moviola.library import CACHE, LibraryCard, VideoRecord
from moviola.pipeline.media.cache_eviction import trim
from moviola.pipeline.media.opening import FileOpener, OpenedFile
from moviola.pipeline.media.sprites import (
    POSTER_LONGEST,
    SpriteCache,
    draw_poster,
    draw_sprite,
    sprite_times,
)
from moviola.serve.errors import ApiError
from moviola.serve.media.playing import Facts, judge
from moviola.video import (
    DecodePool,
    Limits,
    make_film,
    read_frames_near,
    read_play_facts,
)

#: Seconds of one preview, and of one cut, at most.
LONGEST_PREVIEW, LONGEST_CUT = 60.0, 600.0
_PREVIEW_LINES, _CUT_LINES = 720, 2160
_STILL_QUALITY = 80
_FACTS_KEPT = 10_000
_CACHE_BYTES = 2 << 30


class Media:
    """Makes things of videos, in worker processes."""

    def __init__(self, library: Path) -> None:
        self._library = library
        self._sprites = SpriteCache(library)
        # Stills and facts are quick and wanted at once; films take seconds, and have their own.
        self._quick = DecodePool(2, Limits())
        self._films = DecodePool(1, Limits())
        self._facts: OrderedDict[str, Facts] = OrderedDict()
        self._lock = Lock()
        self._filming: dict[Path, Lock] = {}
        self.files = FileOpener()

    def close(self) -> None:
        """End the workers; what is under way ends too."""
        self._quick.close()
        self._films.close()

    @property
    def pool(self) -> DecodePool:
        """Return the workers for what is quick."""
        self._allow_codecs()
        return self._quick

    def _allow_codecs(self) -> None:
        """Let the workers decode whatever was allowed when the library was indexed."""
        with suppress(OSError, MoviolaError):
            codecs = LibraryCard.read(self._library).codecs
            self._quick.allow_codecs(codecs)
            self._films.allow_codecs(codecs)

    def known_facts(self, video: str) -> Facts | None:
        """Return what is already known about playing a video."""
        return self._facts.get(video)

    def facts(self, record: VideoRecord) -> Facts:
        """Find out whether and how a video can be played.

        Raises:
            ApiError: 404 where its file is missing.
            VideoUnreadableError: where it cannot be read any more.
        """
        if (known := self._facts.get(record.id)) is not None:
            return known
        with self.files.opened(record) as file:
            found = judge(record, read_play_facts(self.pool, file.path, expected=file.identity))
            file.require_unchanged()
        with self._lock:
            self._facts[record.id] = found
            if len(self._facts) > _FACTS_KEPT:
                self._facts.popitem(last=False)
        return found

    def sprite(self, record: VideoRecord, span: Span) -> bytes:
        """Return the sheet of a clip, from the cache or made now.

        Raises:
            ApiError: 404 where its file is missing.
            VideoUnreadableError: where it cannot be read any more.
        """
        clip = clip_id(record.id, span)
        kept = self._sprites.read(record.id, clip)
        if kept is not None and not os.path.lexists(record.path):
            return kept  # the moment of a file that is gone is shown still, of a replaced one not
        with self.files.opened(record) as file:
            if kept is not None:
                return kept
            times = sprite_times(span)
            frames = read_frames_near(
                self.pool, file.path, times, longest=2 * POSTER_LONGEST, expected=file.identity
            )
            file.require_unchanged()
        sheet = draw_sprite(frames)
        self._sprites.keep(record.id, clip, sheet)
        return sheet

    def poster(self, record: VideoRecord, span: Span) -> bytes:
        """Give a JPEG of the frame in the middle of a clip, from the cache or made now.

        Raises:
            ApiError: 404 where its file is missing.
            VideoUnreadableError: where it cannot be read any more.
        """
        clip = clip_id(record.id, span)
        with self.files.opened(record) as file:
            if (kept := self._sprites.read_poster(record.id, clip)) is not None:
                return kept
            frames = read_frames_near(
                self.pool,
                file.path,
                [span.middle],
                longest=POSTER_LONGEST,
                expected=file.identity,
            )
            file.require_unchanged()
        poster = draw_poster(frames, span.middle)
        self._sprites.keep_poster(record.id, clip, poster)
        return poster

    def preview(self, record: VideoRecord, span: Span) -> Path:
        """Return an MP4 of a span that every browser plays, from the cache or made now.

        Raises:
            ApiError: 404 where its file is missing, 422 where the span is too long.
            VideoUnreadableError: where it cannot be read.
            StorageError: where there is no room for it.
        """
        return self._film(record, span, "previews", LONGEST_PREVIEW, _PREVIEW_LINES, swift=True)

    def cut(self, record: VideoRecord, span: Span) -> Path:
        """Return an MP4 of exactly a span, in good quality, cached or made now; see `preview`."""
        return self._film(record, span, "cuts", LONGEST_CUT, _CUT_LINES, swift=False)

    def _film(
        self,
        record: VideoRecord,
        span: Span,
        kind: str,
        longest: float,
        lines: int,
        *,
        swift: bool,
    ) -> Path:
        if span.duration > longest + 1e-6:
            raise ApiError(
                422, "invalid", f"end: at most {longest:.0f} seconds can be made at a time"
            )
        folder = self._library / CACHE / kind
        path = folder / f"{clip_id(record.id, span)}.mp4"
        with self._lock:
            alone = self._filming.setdefault(path, Lock())
        # Who asks for the same waits for one film. What was kept is shown of the indexed file only.
        with alone, self.files.opened(record) as file:
            try:
                os.utime(path)  # the cache drops what was asked for longest ago
            except OSError:
                self._make(file, span, path, lines=lines, swift=swift)
        with self._lock:
            self._filming.pop(path, None)
        return path

    def _make(self, source: OpenedFile, span: Span, path: Path, *, lines: int, swift: bool) -> None:
        self._allow_codecs()
        temporary = path.with_suffix(f".{os.getpid()}.new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            trim(path.parent, _CACHE_BYTES)
            with temporary.open("wb") as file:
                make_film(
                    self._films,
                    source.path,
                    span,
                    file.write,
                    lines=lines,
                    swift=swift,
                    expected=source.identity,
                )
            source.require_unchanged()
            temporary.replace(path)
        except OSError as error:
            raise StorageError(
                f"cannot keep the preview in {path.parent}: {error.strerror}; free some space"
            ) from error
        finally:
            temporary.unlink(missing_ok=True)


def jpeg(frames: Frames) -> bytes:
    """Encode the first frame as a JPEG."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(frames.pixels[0]).save(buffer, "JPEG", quality=_STILL_QUALITY)
    return buffer.getvalue()


def tag_of(data: bytes) -> str:
    """Compute an ETag for some bytes."""
    return f'"{hashlib.blake2b(data, digest_size=8).hexdigest()}"'
