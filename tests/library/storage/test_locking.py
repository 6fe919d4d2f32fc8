"""One writer at a time, across processes, with nothing to clean up after a crash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fixtures.shelf import search_vector
from moviola.core import LibraryLockedError, StorageError
from moviola.library import Library
from moviola.library.storage.locking import LOCK_NAME, NOTE_NAME

PROGRAM = Path(__file__).with_name("writing_process.py")


@pytest.fixture
def holder(library):
    command = [sys.executable, str(PROGRAM), "hold", str(library.path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_writer_is_refused_at_once_and_told_by_whom(library, holder):
    began = time.monotonic()
    with pytest.raises(LibraryLockedError) as refusal, library.writer():
        pass
    assert time.monotonic() - began < 2
    message = str(refusal.value)
    assert f"process {holder.pid} on " in message
    assert " since 20" in message
    assert refusal.value.exit_code == 5
    assert library.videos() == []  # reading goes on


def test_a_killed_holder_leaves_nothing_to_clean_up(library, holder, shelf):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    shelf.put("a.mp4")
    shelf.index()
    assert shelf.library.status().clips == 2


def test_two_writers_in_one_process_are_refused_too(library):
    with library.writer():
        with pytest.raises(LibraryLockedError, match=f"process {os.getpid()}"), library.writer():
            pass
        assert (library.path / NOTE_NAME).exists()
    with library.writer():
        pass
    assert not (library.path / NOTE_NAME).exists()


@pytest.mark.parametrize("note", ["", "{", "[]", "{}"])
def test_a_note_that_cannot_be_read_is_no_obstacle(library, note):
    with library.writer():
        (library.path / NOTE_NAME).write_text(note)
        with pytest.raises(LibraryLockedError, match="another process"), library.writer():
            pass


def test_a_library_without_leave_to_write_can_be_searched_but_not_written(
    shelf, card, without_leave
):
    import numpy as np

    shelf.put("a.mp4")
    shelf.index()
    with without_leave(shelf.library.path):
        reader = Library.open(shelf.library.path)
        query = np.eye(1, 16, dtype=np.float32)
        assert len(search_vector(reader, query, card.space, card.text_readout)) == 1
        with pytest.raises(StorageError, match=r"cannot write to the library .* --library") as no:
            reader.writer().__enter__()
        assert no.value.exit_code == 8


def test_the_lock_that_is_no_file_is_a_storage_error(library):
    (library.path / LOCK_NAME).unlink(missing_ok=True)
    (library.path / LOCK_NAME).mkdir()
    with pytest.raises(StorageError, match="cannot write to the library"), library.writer():
        pass
