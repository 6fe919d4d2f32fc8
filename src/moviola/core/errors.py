"""The faults of the world. A caller's own mistake is a built-in error instead."""

from __future__ import annotations

from typing import ClassVar

from moviola.core.codes import ExitCode, FileCode


class MoviolaError(Exception):
    """A fault outside the program, told in one sentence that names the thing and the way out."""

    exit_code: ClassVar[ExitCode] = ExitCode.UNEXPECTED


class SpaceMismatchError(MoviolaError):
    """Two things that may not be compared: their model, head or readout differ."""

    exit_code = ExitCode.SPACE_MISMATCH


class VideoUnreadableError(MoviolaError):
    """A video that cannot be read; `code` says why."""

    exit_code = ExitCode.FAILED_ITEMS

    def __init__(self, message: str, *, code: FileCode) -> None:
        super().__init__(message)
        self.code = code


class DatasetError(MoviolaError):
    """Annotations that do not say what they should; the message names file and place."""

    exit_code = ExitCode.USAGE


class PluginNotFoundError(MoviolaError):
    """No encoder or data set goes by that name."""

    exit_code = ExitCode.USAGE


class MissingExtraError(MoviolaError):
    """An optional dependency is not installed; the message holds the command that installs it."""

    exit_code = ExitCode.USAGE


class LibraryLockedError(MoviolaError):
    """Another process is writing to the library."""

    exit_code = ExitCode.LIBRARY_LOCKED


class StoreCorruptError(MoviolaError):
    """Files of a store or library are damaged or missing."""

    exit_code = ExitCode.STORE_CORRUPT


class WeightsUnavailableError(MoviolaError):
    """The weights of a model are neither here nor to be had."""

    exit_code = ExitCode.WEIGHTS_UNAVAILABLE


class WeightsNotFoundError(WeightsUnavailableError):
    """The hub does not give the weights of a model, and they are not in its cache."""


class StorageError(MoviolaError):
    """No room left, or no permission to write."""

    exit_code = ExitCode.STORAGE
