"""Read the channels of one video while its file is decoded, or after it."""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from moviola.core import (
    Channel,
    FileCode,
    Hears,
    Looks,
    MoviolaError,
    Passage,
    PictureSpec,
    SoundSpec,
    VideoInfo,
    VideoUnreadableError,
)
from moviola.library import ChannelReading
from moviola.pipeline.passages.sidecars import FoundSidecar
from moviola.pipeline.passages.tools import VideoTools
from moviola.video import DecodePool, FileTexts, PicturePart, SidePart, SideWants

SpecT = TypeVar("SpecT")
_TICK_SECONDS = 0.2
#: More passages of one channel of one video are left out.
MOST_PASSAGES = 200_000
_LONGEST_TEXT = 10_000
_LONGEST_MESSAGE = 500


def wanted_pictures(channel: Channel) -> PictureSpec | None:
    """Return the pictures that a channel wants, None for none."""
    return channel.pictures if isinstance(channel, Looks) else None


def wanted_hearing(channel: Channel) -> SoundSpec | None:
    """Return the sound that a channel wants, None for none."""
    return channel.sound if isinstance(channel, Hears) else None


@dataclass(frozen=True, slots=True)
class WantedChannel:
    """A channel to be read of a video.

    Attributes:
        channel: the channel.
        version: digest of its version and of what lies around this file.
        turn: held while it computes; one for all videos.
    """

    channel: Channel
    version: str
    turn: threading.Lock


@dataclass(slots=True)
class _Running:
    """A channel at work, and what became of it."""

    wanted: WantedChannel
    tools: VideoTools
    pictures: int | None = None
    sound: int | None = None
    found: list[Passage] = field(default_factory=list[Passage])
    code: FileCode = FileCode.OK
    done: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None


class VideoReading:
    """Read several channels of one video: the listener of the pass that decodes it.

    Channels that look or hear run in threads of their own while the file is decoded, others when
    all is done. Whatever a channel raises is its own failure, and no other's.
    """

    def __init__(
        self,
        path: Path,
        channels: Sequence[WantedChannel],
        pool: DecodePool,
        *,
        names: Sequence[Path],
        sidecars: Sequence[FoundSidecar] = (),
        facts: bool = False,
    ) -> None:
        """Prepare to read `channels` of the video at `path`.

        Args:
            path: the file.
            channels: those to read.
            pool: reads sound that needs a pass of its own.
            names: every name of the content below the folders that were indexed.
            sidecars: files of timed text beside it.
            facts: whether the file's facts are wanted though no channel needs them.
        """
        self._path = path
        self._info: VideoInfo | None = None
        self._result = (FileCode.VANISHED, "")
        pictures: list[PictureSpec] = []
        sounds: list[SoundSpec] = []
        self._running = [
            _Running(each, VideoTools(names, sidecars, each.turn)) for each in channels
        ]
        for each in self._running:
            channel = each.wanted.channel
            looks, hears = wanted_pictures(channel), wanted_hearing(channel)
            if looks is not None:
                each.pictures = _place(pictures, looks)
            if hears is not None and looks is not None:
                each.tools.hear_apart(pool, path, hears)
            elif hears is not None:
                each.sound = _place(sounds, hears)
        self.wants = SideWants(bool(channels), tuple(pictures), tuple(sounds), facts)

    @property
    def info(self) -> VideoInfo | None:
        """Return the facts of the file, None where they were not looked for."""
        return self._info

    @property
    def result(self) -> tuple[FileCode, str]:
        """Return what became of the file, and why."""
        return self._result

    def begin(self, info: VideoInfo) -> None:
        """Start the channels that look or hear."""
        if self._info is not None:  # a worker that took over from one that died
            return
        self._info = info
        for each in self._running:
            if each.pictures is not None or each.sound is not None:
                each.thread = threading.Thread(
                    target=self._run, args=(each, info), name="moviola-channel", daemon=True
                )
                each.thread.start()

    def take(self, part: SidePart) -> None:
        """Hand a part on to the channels that want it."""
        for each in self._running:
            if isinstance(part, FileTexts):
                each.tools.give_texts(part)
            elif isinstance(part, PicturePart):
                if each.pictures == part.stream:
                    each.tools.pictures.put(part.frames, part.frames.pixels.nbytes)
            elif each.sound == part.stream:
                each.tools.heard.put(part.sound, part.sound.samples.nbytes)

    def end(self, code: FileCode, message: str) -> None:
        """Learn what became of the file."""
        self._result = (code, message)
        error = VideoUnreadableError(message, code=code) if code.is_failure else None
        for each in self._running:
            each.tools.end(error)

    def readings(self, video: str, info: VideoInfo) -> list[ChannelReading]:
        """Wait for the channels, run those that have not begun, and return what they read."""
        for each in self._running:
            if each.thread is None:
                self._run(each, info)
            while not each.done.wait(_TICK_SECONDS):  # a wait without an end hears no Ctrl-C
                pass
        return [_gathered(each, video) for each in self._running]

    def close(self) -> None:
        """Let go of everything: nobody asks for what was read."""
        for each in self._running:
            each.tools.close()

    def _run(self, each: _Running, info: VideoInfo) -> None:
        channel, tools = each.wanted.channel, each.tools
        try:
            with each.wanted.turn:
                for passage in channel.passages(self._path, info, tools):
                    if len(each.found) >= MOST_PASSAGES:
                        tools.note(f"passages beyond {MOST_PASSAGES} left out")
                        break
                    each.found.append(passage)
        except VideoUnreadableError as error:
            each.code = FileCode.OK_PARTIAL if each.found else error.code
            tools.note(str(error) or error.code.value)
        except MemoryError:
            each.code, each.found = FileCode.OUT_OF_MEMORY, []
        except Exception as error:  # noqa: BLE001 - a channel's mistake is no other's
            each.code, each.found = FileCode.CHANNEL_ERROR, []
            # Another error's own text may quote what was read, which is shown and logged nowhere.
            told = str(error) if isinstance(error, MoviolaError) else type(error).__name__
            tools.note(f"the channel failed: {told}")
        finally:
            tools.close()
            each.done.set()


def _place(specs: list[SpecT], wanted: SpecT) -> int:
    """Return the place of `wanted` among the specs, where equal ones share a stream."""
    if wanted not in specs:
        specs.append(wanted)
    return specs.index(wanted)


def _gathered(each: _Running, video: str) -> ChannelReading:
    name = each.wanted.channel.name
    passages: list[Passage] = []
    for passage in each.found:
        text = unicodedata.normalize("NFC", passage.text)[:_LONGEST_TEXT].strip()
        if passage.channel != name or not text:
            each.code = FileCode.CHANNEL_ERROR
            message = "the channel gave passages of another channel, or without text"
            return ChannelReading(name, each.wanted.version, (), each.code, message)
        passages.append(replace(passage, video=video, text=text))
    code, message = each.code, "; ".join(dict.fromkeys(each.tools.notes))[:_LONGEST_MESSAGE]
    if message and code is FileCode.OK:
        code = FileCode.OK_PARTIAL
    kept = () if code.is_failure else tuple(passages)
    return ChannelReading(name, each.wanted.version, kept, code, message)
