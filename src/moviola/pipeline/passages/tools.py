"""Hand a channel what it reads of one video: the `ChannelTools` of an index run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from moviola.core import (
    ContainerTexts,
    FileCode,
    Frames,
    Sidecar,
    SoundSpec,
    TextTrack,
    VideoUnreadableError,
    Waveform,
)
from moviola.pipeline.passages.feed import Feed
from moviola.pipeline.passages.sidecars import FoundSidecar, read_sidecars
from moviola.video import DecodePool, FileTexts, SidePart, SideWants, SoundPart

#: Bytes of pictures that wait for one channel, and of sound.
PICTURE_BYTES = 32 << 20
SOUND_BYTES = 8 << 20


class VideoTools:
    """Hand one channel what it wants of one video.

    Attributes:
        names: every name of the content below the folders that were indexed.
        notes: what the channel said was left out.
        pictures: takes the pictures of the pass that decodes the video.
        heard: takes its sound; that of a channel which also looks comes from a pass of its own, so
            that neither has to wait for the other.
    """

    def __init__(
        self,
        names: Sequence[Path],
        sidecars: Sequence[FoundSidecar],
        turn: threading.Lock,
    ) -> None:
        self.names = names
        self.notes: list[str] = []
        self.pictures = Feed[Frames](PICTURE_BYTES, turn)
        self.heard = Feed[Waveform](SOUND_BYTES, turn)
        self._sidecars = sidecars
        self._texts = FileTexts(ContainerTexts({}))
        self._hear: Callable[[], None] | None = None

    def hear_apart(self, pool: DecodePool, path: Path, wanted: SoundSpec) -> None:
        """Let the sound come from a pass of its own, when it is asked for."""
        listener = _SoundListener(self.heard, wanted)

        def read() -> None:
            try:
                pool.read_side(path, listener)
            except RuntimeError as error:  # the pool was closed meanwhile: the run has ended
                listener.end(FileCode.DECODER_CRASH, str(error))

        def start() -> None:
            threading.Thread(target=read, name="moviola-hear", daemon=True).start()

        self._hear = start

    def give_texts(self, texts: FileTexts) -> None:
        """Take in the texts of the container."""
        self._texts = texts

    def end(self, error: VideoUnreadableError | None) -> None:
        """Learn that the pass over the file has ended; with `error`, where it broke off."""
        self.pictures.end(error)
        if self._hear is None:
            self.heard.end(error)

    def close(self) -> None:
        """Let go of what the channel has not read."""
        self.pictures.close()
        self.heard.close()

    def note(self, message: str) -> None:
        """Say in words what was left out."""
        self.notes.append(message)

    def frames(self) -> Iterator[Frames]:
        """Yield the pictures that the channel's `pictures` ask for, one at a time, in order."""
        return self.pictures.read()

    def sound(self) -> Iterator[Waveform]:
        """Yield the sound that the channel's `sound` asks for, in order, without gaps."""
        if self._hear is not None:
            self._hear()
        return self.heard.read()

    def text_tracks(self) -> Sequence[TextTrack]:
        """Return the text tracks of the container, in its order."""
        if self._texts.left_out:
            self.note(self._texts.left_out)
        return self._texts.tracks

    def sidecars(self) -> Sequence[Sidecar]:
        """Return the files of timed text beside the video, by name."""
        files, notes = read_sidecars(self._sidecars)
        self.notes.extend(notes)
        return files

    def container_texts(self) -> ContainerTexts:
        """Return what the container states of itself."""
        return self._texts.container


class _SoundListener:
    """Feed the sound of a pass that reads nothing else."""

    def __init__(self, feed: Feed[Waveform], wanted: SoundSpec) -> None:
        self.wants = SideWants(sounds=(wanted,))
        self._feed = feed

    def begin(self, info: object) -> None:
        """Learn nothing new."""

    def take(self, part: SidePart) -> None:
        """Take the next stretch of sound."""
        if isinstance(part, SoundPart):
            self._feed.put(part.sound, part.sound.samples.nbytes)

    def end(self, code: FileCode, message: str) -> None:
        """End the sound, where the file breaks off with why."""
        broken = VideoUnreadableError(message, code=code) if code.is_failure else None
        self._feed.end(broken)
