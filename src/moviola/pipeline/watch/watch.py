"""Watch folders: index what is new or changed once it has settled, and mark what went."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from moviola.core import LibraryLockedError, display_path
from moviola.library import is_gone
from moviola.pipeline.index.index import index
from moviola.pipeline.index.report import IndexReport, IndexStep
from moviola.pipeline.search.aligned_encoder import load_aligned
from moviola.pipeline.watch.settling import Settling

REST_SECONDS = 5.0
"""Seconds for which a file must look the same before it is read."""
EVERY_SECONDS = 2.0
_SHARE = 20
"""A glance takes at most one part in so many of the time."""


class WatchListener(Protocol):
    """Learn what goes on while folders are watched."""

    def waiting(self, growing: int) -> None:
        """Learn that so many files still grow."""
        ...

    def locked(self, message: str) -> None:
        """Learn that another process writes to the library, which is waited for."""
        ...

    def step(self, step: IndexStep) -> None:
        """Learn how far a run has come."""
        ...

    def indexed(self, report: IndexReport) -> None:
        """Learn what a run did."""
        ...


def watch(
    paths: Sequence[Path],
    listener: WatchListener,
    *,
    library: Path | str | None = None,
    rest: float = REST_SECONDS,
    every: float = EVERY_SECONDS,
    stopped: threading.Event | None = None,
    **options: Any,
) -> None:
    """Watch folders until `stopped`; without it, until the process is interrupted.

    A file is read once its size and time have been the same for `rest` seconds, so that none is
    read while it is copied; one that goes is marked missing. The model is loaded once. While
    another process writes to the library, this one waits, and goes on afterwards.

    Args:
        paths: folders of videos, or files.
        listener: told what goes on.
        library: the library's folder, as `index` takes it.
        rest: seconds.
        every: seconds between two glances at least; large folders are looked at less often.
        stopped: ends the watch between two runs.
        options: of `index`.

    Raises:
        FileNotFoundError: when one of `paths` is not there to begin with.
    """
    watched = [path.expanduser().absolute() for path in paths]
    for path in watched:
        if is_gone(path):
            raise FileNotFoundError(
                f"there is nothing at {display_path(path)}; name a folder that is there"
            )
    stopped = stopped or threading.Event()
    settling, load, grew, told = Settling(watched, rest), cache(load_aligned), 0, ""
    while not stopped.is_set():
        began = time.monotonic()
        glance = settling.glance()
        pause = max(every, _SHARE * (time.monotonic() - began))
        if len(glance.growing) != grew:
            grew = len(glance.growing)
            listener.waiting(grew)
        if glance.changed:
            try:
                report = _run(
                    watched, glance.growing, listener, library=library, load=load, **options
                )
            except LibraryLockedError as error:
                if (said := str(error)) != told:
                    listener.locked(said)
                    told = said
            else:
                settling.take()
                told = ""
                if report is not None:
                    listener.indexed(report)
        stopped.wait(pause)


def _run(
    paths: Sequence[Path], growing: frozenset[Path], listener: WatchListener, **options: Any
) -> IndexReport | None:
    """Index what is there now; None where all the folders went."""
    present = [path for path in paths if not is_gone(path)]
    if not present:
        return None
    return index(present, later=growing, on_progress=listener.step, **options)
