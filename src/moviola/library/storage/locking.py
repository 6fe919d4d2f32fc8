"""Admit one writer at a time: a lock that the kernel releases, a note about who holds it."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from moviola.core import LibraryLockedError, StorageError, display_path
from moviola.core.json_text import decode_json
from moviola.library.storage.card import write_atomically

LOCK_NAME = "writer.lock"
NOTE_NAME = "writer.json"


class WriterLock(nullcontext[None]):
    """Stand for a lock that is held already, wherever one would be taken."""


@contextmanager
def writer_lock(folder: Path) -> Iterator[WriterLock]:
    """Hold the library in `folder` for writing.

    The lock is the operating system's: it goes with its process, however that ends, so a crash
    leaves nothing to clean up. The note beside it only tells others whom they wait for.
    On network file systems the lock is as good as their `flock`.

    Raises:
        LibraryLockedError: at once, naming process, host and start, when another holds it.
        StorageError: when the library cannot be written at all.
    """
    lock = FileLock(folder / LOCK_NAME, timeout=0, thread_local=False)
    note = folder / NOTE_NAME
    try:
        lock.acquire()
    except Timeout:
        raise LibraryLockedError(_who(folder, note)) from None
    except OSError as error:
        raise StorageError(
            f"cannot write to the library {display_path(folder)}: {error.strerror}; make it "
            "writable, or index into another with --library"
        ) from error
    try:
        write_atomically(note, json.dumps(_ourselves()) + "\n")
        yield WriterLock()
    finally:
        note.unlink(missing_ok=True)
        lock.release()


def _ourselves() -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "host": platform.node(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _who(folder: Path, note: Path) -> str:
    """Describe the holder, who writes the note just after taking the lock, in one sentence."""
    for _ in range(10):
        try:
            holder = decode_json(note.read_text(encoding="utf-8"))
            who = f"process {holder['pid']} on {holder['host']} since {holder['since']}"
            break
        except (OSError, ValueError, KeyError, TypeError):
            time.sleep(0.05)
    else:
        who = "another process"
    return (
        f"the library {display_path(folder)} is being written by {who}; wait until it is done "
        "(searching works meanwhile)"
    )
