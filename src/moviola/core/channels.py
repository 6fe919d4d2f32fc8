"""State what reads text out of a video, and what of the video it is handed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from moviola.core.frames import Frames, Waveform
from moviola.core.passages import Passage
from moviola.core.spans import Span
from moviola.core.videos import VideoInfo


@dataclass(frozen=True, slots=True)
class PictureSpec:
    """The pictures that a channel wants to look at.

    Attributes:
        every: seconds from one picture to the next, at least.
        longest: pixels of the longer side, at most; larger pictures come scaled down.

    Raises:
        ValueError: when either is not positive.
    """

    every: float = 1.0
    longest: int = 1280

    def __post_init__(self) -> None:
        if not (self.every > 0 and self.longest > 0):
            raise ValueError(
                f"pictures come every so many seconds, so many pixels long; got {self.every} and "
                f"{self.longest}"
            )


@dataclass(frozen=True, slots=True)
class Cue:
    """A line of a text track: when it is shown, and its text as the file has it."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class TextTrack:
    """A text track of a container.

    Attributes:
        codec: FFmpeg's name of its codec: `subrip`, `mov_text`, `webvtt`, `ass` or another.
        language: as the container states it, None where it does not.
        title: as the container states it, `""` where it does not.
        cues: by start.
    """

    codec: str
    language: str | None
    title: str
    cues: tuple[Cue, ...]


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A file of timed text that lies beside a video and bears its name.

    Attributes:
        name: the file's name without its folder.
        language: the tag between the video's name and the suffix, None where there is none.
        data: its bytes, which nobody has looked at; no more than the limit on sidecars.
    """

    name: str
    language: str | None
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ContainerTexts:
    """Texts that a container states of its video.

    Attributes:
        tags: by FFmpeg's lower-case names, such as `title`, `description` and `comment`.
        chapters: when each is, and its title.
    """

    tags: Mapping[str, str]
    chapters: tuple[tuple[Span, str], ...] = ()


class ChannelTools(Protocol):
    """Hand a channel what it reads of one video; a channel never opens the file itself.

    Everything comes out of the isolated decoding, and frames and sound out of the encoder's own
    pass over the file where it makes one.
    """

    @property
    def names(self) -> Sequence[Path]:
        """Return every name that the content has below the folder that was indexed."""
        ...

    def note(self, message: str) -> None:
        """Say in words what was left out; the result is `ok_partial` then.

        No text of the video may be in it: messages are shown and logged.
        """
        ...

    def frames(self) -> Iterator[Frames]:
        """Yield the pictures that the channel's `pictures` ask for, one at a time, in order.

        Raises:
            VideoUnreadableError: when the file breaks off; what came before stays good.
        """
        ...

    def sound(self) -> Iterator[Waveform]:
        """Yield the sound that the channel's `sound` asks for, in order, without gaps.

        Raises:
            VideoUnreadableError: when the file breaks off; what came before stays good.
        """
        ...

    def text_tracks(self) -> Sequence[TextTrack]:
        """Return the text tracks of the container, in its order.

        Raises:
            VideoUnreadableError: when the file cannot be read.
        """
        ...

    def sidecars(self) -> Sequence[Sidecar]:
        """Return the files of timed text beside the video, by name."""
        ...

    def container_texts(self) -> ContainerTexts:
        """Return what the container states of itself.

        Raises:
            VideoUnreadableError: when the file cannot be read.
        """
        ...


@runtime_checkable
class Channel(Protocol):
    """Read text with times out of a video.

    Its abilities are `Looks` and `Hears`; without them it is handed neither pictures nor sound.
    """

    @property
    def name(self) -> str:
        """Return its name, such as `writing`: lower case, a word."""
        ...

    @property
    def version(self) -> str:
        """Return a canonical text of everything that changes its output: code, models, settings."""
        ...

    def passages(self, video: Path, info: VideoInfo, tools: ChannelTools) -> Iterator[Passage]:
        """Yield the passages of one video, by start; `Passage.video` is left empty.

        Args:
            video: where the file is, for its name; it is not to be opened.
            info: what the packets told.
            tools: what of the file it wants to read.
        """
        ...


#: What lies around a file: the names that it has, and files of timed text beside it.
Surrounding = Literal["names", "sidecars"]


@runtime_checkable
class Surrounded(Protocol):
    """Read what lies around a file: an ability of a `Channel`.

    It is read again where that changes.
    """

    @property
    def surroundings(self) -> Sequence[Surrounding]:
        """Return what is read."""
        ...


@runtime_checkable
class Looks(Protocol):
    """Look at pictures: an ability of a `Channel`."""

    @property
    def pictures(self) -> PictureSpec | None:
        """Return which pictures it wants, None for none."""
        ...
