"""The closed sets of results: what became of a file, and what a command returns."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class FileCode(StrEnum):
    """The result of one input file, or of one channel of it. Anything else is a bug."""

    OK = "ok"
    OK_PARTIAL = "ok_partial"
    EMPTY = "empty"
    NO_VIDEO = "no_video"
    UNSUPPORTED_CONTAINER = "unsupported_container"
    UNSUPPORTED_CODEC = "unsupported_codec"
    CORRUPT = "corrupt"
    TRUNCATED = "truncated"
    TOO_LARGE = "too_large"
    TIMEOUT = "timeout"
    DECODER_CRASH = "decoder_crash"
    OUT_OF_MEMORY = "out_of_memory"
    UNREADABLE = "unreadable"
    CHANGED_WHILE_READING = "changed_while_reading"
    VANISHED = "vanished"
    BAD_EMBEDDING = "bad_embedding"
    DUPLICATE = "duplicate"
    CHANNEL_ERROR = "channel_error"

    @property
    def has_clips(self) -> bool:
        """Tell whether a file of this code contributed clips."""
        return self in (FileCode.OK, FileCode.OK_PARTIAL)

    @property
    def is_failure(self) -> bool:
        """Tell whether the file could not be used at all."""
        return not self.has_clips and self is not FileCode.DUPLICATE


class ExitCode(IntEnum):
    """The number that a command returns to the shell."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    FAILED_ITEMS = 3
    SPACE_MISMATCH = 4
    LIBRARY_LOCKED = 5
    STORE_CORRUPT = 6
    WEIGHTS_UNAVAILABLE = 7
    STORAGE = 8
    INTERRUPTED = 130
