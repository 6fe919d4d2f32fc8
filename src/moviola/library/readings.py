"""Describe what became of one channel of one video."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Self

from moviola.core import FileCode, Passage


@dataclass(frozen=True, slots=True)
class ChannelMark:
    """Say that a channel of a video was read: written with its record, after its passages.

    Attributes:
        channel: the channel's name.
        version: digest of the channel's version and of what it read beside the file itself.
        code: what became of it.
        message: why it failed or what was left out, `""` otherwise; no text of the video is in it.
        passages: how many passages the library holds of it.
    """

    channel: str
    version: str
    code: FileCode = FileCode.OK
    message: str = ""
    passages: int = 0


@dataclass(frozen=True, slots=True)
class ChannelReading:
    """Hold what a channel read of one video.

    Attributes:
        channel: the channel's name.
        version: digest of the channel's version and of what it read beside the file itself.
        passages: what it found, under the video's id; none where `code` is a failure.
        code: `ok`, `ok_partial` where something was left out, or why it failed.
        message: why it failed or what was left out, `""` otherwise; no text of the video is in it.
    """

    channel: str
    version: str
    passages: tuple[Passage, ...] = ()
    code: FileCode = FileCode.OK
    message: str = ""

    def for_video(self, video: str) -> Self:
        """Return this reading where all of it belongs to `video` and its channel.

        Raises:
            ValueError: when a passage belongs to another video or channel, or a failure has some.
        """
        strange = next((p for p in self.passages if (p.video, p.channel) != self._key(video)), None)
        if strange is not None:
            raise ValueError(
                f"a passage of channel {strange.channel!r} of video {strange.video!r} was handed "
                f"in with those of {self.channel!r} of {video!r}"
            )
        if self.code.is_failure and self.passages:
            raise ValueError(f"a channel with code {self.code} has no passages")
        return self

    def mark(self, passages: int) -> ChannelMark:
        """Make the mark of this reading, of which `passages` are stored."""
        return ChannelMark(self.channel, self.version, self.code, self.message, passages)

    def _key(self, video: str) -> tuple[str, str]:
        return video, self.channel


def version_digest(*parts: str) -> str:
    """Digest the parts of a channel's version: 16 hexadecimal digits (BLAKE2b)."""
    return hashlib.blake2b(repr(parts).encode(errors="surrogatepass"), digest_size=8).hexdigest()
