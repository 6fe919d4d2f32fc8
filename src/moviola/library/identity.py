"""Name the content of files: small ones by all their bytes, large ones by blocks of them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from io import BufferedReader

from moviola.core import FileCode, VideoUnreadableError, display_path
from moviola.library.files import InputFile, missing_or_unreadable

#: Files of at most this many bytes are named by all of them.
WHOLE_BYTES = 16 << 20
_BLOCK = 256 << 10
_BLOCKS = 18  # the first, the last, and 16 between them at equal steps
_SAMPLED = "-sampled"


def content_id(file: InputFile) -> str:
    """Return the name of the content of `file`: 32 hexadecimal digits (BLAKE2b).

    Files of more than `WHOLE_BYTES` are named by their size and 18 blocks of 256 KiB, which lie at
    equal steps from the first byte to the last, and `-sampled` follows the digits: so no file
    waits until another one of a terabyte has been read.

    Raises:
        VideoUnreadableError: `vanished`, `unreadable`, or `changed_while_reading`.
    """
    if file.size > WHOLE_BYTES:
        return _digest(file, _read_samples) + _SAMPLED
    return whole_id(file)


def whole_id(file: InputFile) -> str:
    """Return the digest of all bytes of `file`: 32 hexadecimal digits (BLAKE2b).

    Raises:
        VideoUnreadableError: `vanished`, `unreadable`, or `changed_while_reading`.
    """
    return _digest(file, _read_whole)


def is_sampled(video: str) -> bool:
    """Test whether a content id was made of blocks of the file."""
    return video.endswith(_SAMPLED)


def has_content(stream: BufferedReader, size: int, video: str) -> bool:
    """Test whether an open file of `size` bytes holds the content `video`, however that was named.

    Raises:
        OSError: when it cannot be read.
    """
    if is_sampled(video):
        return video == _read_samples(stream, size) + _SAMPLED
    return video == _read_whole(stream, size)


def _digest(file: InputFile, read: Callable[[BufferedReader, int], str]) -> str:
    # Without O_NONBLOCK, a file replaced by a pipe since the scan would block for ever.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        with open(file.path, "rb", opener=lambda path, _: os.open(path, flags)) as stream:
            _refuse_changed(file, os.fstat(stream.fileno()))
            digest = read(stream, file.size)
            _refuse_changed(file, os.fstat(stream.fileno()))
            return digest
    except OSError as error:
        raise VideoUnreadableError(
            f"{display_path(file.path)} cannot be read: {error.strerror}",
            code=missing_or_unreadable(error),
        ) from error


def _read_whole(stream: BufferedReader, _: int) -> str:
    return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _read_samples(stream: BufferedReader, size: int) -> str:
    digest = hashlib.blake2b(str(size).encode(), digest_size=16)
    for place in range(_BLOCKS):
        stream.seek(place * max(0, size - _BLOCK) // (_BLOCKS - 1))
        digest.update(stream.read(_BLOCK))
    return digest.hexdigest()


def _refuse_changed(file: InputFile, found: os.stat_result) -> None:
    if not file.agrees_with(found):
        raise VideoUnreadableError(
            f"{display_path(file.path)} changed while it was read; index again when it is at rest",
            code=FileCode.CHANGED_WHILE_READING,
        )
