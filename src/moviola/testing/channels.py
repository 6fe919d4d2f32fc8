"""Check what every channel promises, on a video that lies in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from moviola.core import (
    Channel,
    ContainerTexts,
    Frames,
    Hears,
    Looks,
    Passage,
    PictureSpec,
    Sidecar,
    SoundSpec,
    TextTrack,
    VideoInfo,
    VideoUnreadableError,
    Waveform,
)
from moviola.testing.promises import require, require_kind


@dataclass(frozen=True, slots=True)
class MemoryTools:
    """Hand a channel a video that lies in memory: the `ChannelTools` of tests.

    Attributes:
        pictures: what `frames` yields.
        waveforms: what `sound` yields.
        tracks: what `text_tracks` returns.
        files: what `sidecars` returns.
        texts: what `container_texts` returns.
        names: every name that the content has below the folder that was indexed.
        broken: raised after the last picture or sound, as by a file that breaks off.
        notes: what the channel said was left out.
    """

    pictures: Sequence[Frames] = ()
    waveforms: Sequence[Waveform] = ()
    tracks: Sequence[TextTrack] = ()
    files: Sequence[Sidecar] = ()
    texts: ContainerTexts = field(default_factory=lambda: ContainerTexts({}))
    names: Sequence[Path] = ()
    broken: VideoUnreadableError | None = None
    notes: list[str] = field(default_factory=list[str])

    def note(self, message: str) -> None:
        """Keep what the channel says was left out."""
        self.notes.append(message)

    def frames(self) -> Iterator[Frames]:
        """Yield the pictures."""
        yield from self.pictures
        if self.broken is not None:
            raise self.broken

    def sound(self) -> Iterator[Waveform]:
        """Yield the sound."""
        yield from self.waveforms
        if self.broken is not None:
            raise self.broken

    def text_tracks(self) -> Sequence[TextTrack]:
        """Return the text tracks."""
        return self.tracks

    def sidecars(self) -> Sequence[Sidecar]:
        """Return the files of timed text."""
        return self.files

    def container_texts(self) -> ContainerTexts:
        """Return what the container states of itself."""
        return self.texts


def check_channel(
    channel: Channel, video: Path, info: VideoInfo, tools: MemoryTools
) -> list[Passage]:
    """Check that a channel keeps its promises on a video, and return what it read there.

    Args:
        channel: what to check.
        video: where the video would be; the channel is not to open it.
        info: its facts.
        tools: its pictures, sound and texts.

    Raises:
        AssertionError: one sentence that names the broken promise.
    """
    require_kind(
        channel, Channel, f"a {type(channel).__name__} lacks name, version or passages of a channel"
    )
    identity = _check_identity(channel)
    found = list(channel.passages(video, info, tools))
    _check_passages(channel, found, info)
    again = list(channel.passages(video, info, tools))
    require(found == again, "reading one video twice gives different passages")
    require(
        _check_identity(channel) == identity,
        "name or version changed while reading; both must be known beforehand and stay",
    )
    return found


def _check_identity(channel: Channel) -> tuple[str, str]:
    name, version = channel.name, channel.version
    require(
        name.isidentifier() and name == name.lower(),
        f"the name {name!r} is not one lower-case word",
    )
    require(bool(version.strip()), "the version is empty; it names all that changes the output")
    if isinstance(channel, Looks):
        require_kind(
            channel.pictures,
            (PictureSpec, type(None)),
            "pictures is neither a PictureSpec nor None",
        )
    if isinstance(channel, Hears):
        require_kind(
            channel.sound, (SoundSpec, type(None)), "sound is neither a SoundSpec nor None"
        )
    return name, version


def _check_passages(channel: Channel, found: Sequence[Passage], info: VideoInfo) -> None:
    before = 0.0
    for passage in found:
        require_kind(passage, Passage, f"passages yields a {type(passage).__name__}")
        what = f"the passage {passage.text[:40]!r}"
        require(passage.channel == channel.name, f"{what} is of the channel {passage.channel!r}")
        require(passage.video == "", f"{what} names a video; only a library knows the ids")
        require(passage.span.start >= before, f"{what} starts before the one before it")
        before = passage.span.start
        require(
            passage.span.start < info.duration,
            f"{what} starts at {before} s, after the end of the video at {info.duration} s",
        )
        start = passage.span.start
        for word in passage.words:
            require(
                start <= word.span.start and word.span.end <= passage.span.end,
                f"the word {word.text!r} lies outside of its passage, or before the word before",
            )
            start = word.span.start
