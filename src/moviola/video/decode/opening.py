"""Open one file under the allow-lists, and name what went wrong. Runs in the worker."""

from __future__ import annotations

import errno
import os
import stat
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

import av
import av.error

from moviola.core import FileCode, FileIdentity, VideoUnreadableError
from moviola.video.decode.containers import AUDIO_CODECS, DEMUXERS, VIDEO_CODECS
from moviola.video.decode.isobmff import outline
from moviola.video.limits import Limits

if TYPE_CHECKING:
    from av.container import InputContainer

_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)  # a pipe that took the place of a file would block for ever
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


#: The state that a file must be in when it is opened, None for any.
EXPECTED: ContextVar[FileIdentity | None] = ContextVar("EXPECTED", default=None)


def check_file(path: Path) -> os.stat_result:
    """Return the status of `path`, after links, when it is a regular file with something in it.

    Nothing is opened: a named pipe would block for ever.

    Raises:
        VideoUnreadableError: `vanished`, `unreadable` or `empty`.
    """
    try:
        status = os.stat(path)  # noqa: PTH116 - an undecodable name must go through as it is
    except (FileNotFoundError, NotADirectoryError):
        raise VideoUnreadableError("there is no such file", code=FileCode.VANISHED) from None
    except (OSError, ValueError) as error:
        raise _unreadable(error) from None
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG:
        what = _KINDS.get(kind, "not a regular file")
        raise VideoUnreadableError(f"it is {what}, not a file", code=FileCode.UNREADABLE)
    if status.st_size == 0:
        raise VideoUnreadableError("the file is empty", code=FileCode.EMPTY)
    return status


def check_unchanged(path: Path, before: os.stat_result) -> None:
    """Refuse a file that is no longer the one that was opened.

    Raises:
        VideoUnreadableError: `vanished` or `changed_while_reading`.
    """
    if FileIdentity.of(check_file(path)) != FileIdentity.of(before):
        raise _changed()


def codec_options(limits: Limits) -> dict[str, str]:
    """Give the options that every decoder is opened with."""
    allowed = (*VIDEO_CODECS, *AUDIO_CODECS, *limits.extra_codecs)
    return {"codec_whitelist": ",".join(allowed), "max_pixels": str(limits.max_pixels)}


def open_container(path: Path, limits: Limits, *, decoders: bool = True) -> InputContainer:
    """Open `path` under the allow-lists; without `decoders` only what its headers say is known.

    FFmpeg gets a descriptor instead of a name: names such as `http:x.mp4` are files too, and what
    is read is what was looked at, whatever takes its name meanwhile.

    Raises:
        VideoUnreadableError: with the code that fits.
    """
    options = codec_options(limits) | {
        "format_whitelist": ",".join(DEMUXERS),
        "protocol_whitelist": "fd",
    }
    if not decoders:
        options["codec_whitelist"] = "none"
    try:
        descriptor = os.open(path, _FLAGS)
        try:
            _require_expected(os.fstat(descriptor))
            # FFmpeg keeps a duplicate of its own.
            return av.open(
                "fd:",
                mode="r",
                options=options | {"fd": str(descriptor)},
                metadata_errors="replace",
            )
        finally:
            os.close(descriptor)
    except Exception as error:
        raise fault(error, path) from error


def _require_expected(found: os.stat_result) -> None:
    expected = EXPECTED.get()
    if expected is not None and FileIdentity.of(found) != expected:
        raise _changed()


def _changed() -> VideoUnreadableError:
    return VideoUnreadableError(
        "the file changed while it was read", code=FileCode.CHANGED_WHILE_READING
    )


def fault(error: Exception, path: Path) -> VideoUnreadableError:
    """Give anything that decoding raised its code."""
    if isinstance(error, VideoUnreadableError):
        return error
    if _is_memory_short(error):
        return _unreadable(error)
    if isinstance(error, FileNotFoundError):
        return VideoUnreadableError("there is no such file", code=FileCode.VANISHED)
    # FFmpeg reports an I/O error for a file that merely ends too soon; a real one comes again
    # when the structure is looked at.
    if isinstance(error, PermissionError) or (
        isinstance(error, OSError) and not isinstance(error, av.error.FFmpegError)
    ):
        return _unreadable(error)
    return structural_fault(path)


def _is_memory_short(error: BaseException) -> bool:
    """Tell whether `error` comes from want of memory, which the system reports in its own way."""
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return True
    cause = error.__cause__
    return cause is not None and _is_memory_short(cause)


def structural_fault(path: Path) -> VideoUnreadableError:
    """Explain a file of which FFmpeg can make nothing."""
    try:
        found = outline(path)
        size = path.stat().st_size
    except OSError as error:
        return _unreadable(error)
    if not found.known:
        return VideoUnreadableError(
            "its content is not a video container that is read here",
            code=FileCode.UNSUPPORTED_CONTAINER,
        )
    if found.encrypted:
        return VideoUnreadableError("the video is encrypted", code=FileCode.UNSUPPORTED_CODEC)
    if found.iso and not found.has_index and not found.malformed:
        return VideoUnreadableError(
            "the file ends before its index (moov); it was cut off or never finished",
            code=FileCode.TRUNCATED,
        )
    if found.promised > size and not found.malformed:
        return VideoUnreadableError("the file is cut off", code=FileCode.TRUNCATED)
    return VideoUnreadableError("its structure is damaged", code=FileCode.CORRUPT)


def _unreadable(error: Exception) -> VideoUnreadableError:
    """Code an error of the system: want of memory, or a file that it does not let be read."""
    if _is_memory_short(error):
        return VideoUnreadableError(
            "it needs more memory than a decoder may use", code=FileCode.OUT_OF_MEMORY
        )
    text = getattr(error, "strerror", None)
    return VideoUnreadableError(
        f"it cannot be read: {text or type(error).__name__}", code=FileCode.UNREADABLE
    )
