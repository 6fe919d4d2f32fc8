"""Creating and opening libraries, whole, half made, damaged or not there."""

from __future__ import annotations

import subprocess
import sys

import pytest

from moviola.core import FileCode, LibraryLockedError, StorageError, StoreCorruptError
from moviola.library import Library, LibraryCard
from moviola.library.storage.card import CARD_NAME
from moviola.library.storage.tables import Tables


def test_a_new_library_is_empty_and_whole(library, card):
    status = library.status()
    assert (status.videos, status.clips, status.names, status.missing) == ({}, 0, 0, 0)
    assert status.bytes > 0
    assert library.verify() == library.videos() == library.failures() == []
    assert library.card.created.startswith("20")
    assert Library.open(library.path).card == library.card


def test_odd_places_are_no_problem(tmp_path, card):
    for name in ("with space", "a#b?c%20d", "ünï", "'; drop"):
        library = Library.create(tmp_path / name / "deep" / "library", card)
        assert Library.open(library.path).status().clips == 0


def test_what_is_not_there_is_told_with_the_way_out(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no library at .*moviola index FOLDER --library"):
        Library.open(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileNotFoundError, match="no library"):
        Library.open(tmp_path / "file")


def test_a_library_is_not_made_twice_nor_over_other_things(library, tmp_path, card):
    with pytest.raises(FileExistsError, match="library already"):
        Library.create(library.path, card)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("dear")
    with pytest.raises(FileExistsError, match=r"letter\.txt"):
        Library.create(tmp_path / "home", card)


@pytest.mark.parametrize("step", ["folder", "one table", "both tables", "temporary card"])
def test_a_creation_that_was_killed_can_be_repeated(tmp_path, card, monkeypatch, step):
    path = tmp_path / "library"
    path.mkdir()
    if step != "folder":
        Tables.create(path, card)
    if step == "one table":
        for file in sorted((path / "videos.lance").rglob("*"), reverse=True):
            file.unlink() if file.is_file() else file.rmdir()
    if step == "temporary card":
        (path / f"{CARD_NAME}.123.new").write_text("{")
        (path / "writer.json.123.new").write_text("{")
    with pytest.raises(FileNotFoundError):
        Library.open(path)
    assert Library.create(path, card).verify() == []


def test_a_lost_card_is_told_and_nothing_is_made_over_it(shelf, card):
    shelf.put("a.mp4")
    shelf.index()
    (shelf.library.path / CARD_NAME).unlink()
    with pytest.raises(StoreCorruptError, match="lost its card"):
        Library.open(shelf.library.path)
    with pytest.raises(StoreCorruptError, match="lost its card"):
        Library.create(shelf.library.path, card)
    LibraryCard.write(card, shelf.library.path)
    assert Library.open(shelf.library.path).status().clips == 2


def test_two_creations_at_once_make_one_library(tmp_path, card, library):
    path = tmp_path / "new"
    path.mkdir()
    with library.writer():  # its lock, under another name
        pass
    from moviola.library.storage.locking import writer_lock

    with writer_lock(path), pytest.raises(LibraryLockedError):
        Library.create(path, card)


def test_no_leave_to_make_a_library_is_a_storage_error(tmp_path, card, without_leave):
    closed = tmp_path / "closed"
    closed.mkdir()
    with without_leave(closed), pytest.raises(StorageError, match="--library"):
        Library.create(closed / "library", card)
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="cannot make"):
        Library.create(tmp_path / "file" / "library", card)


def test_status_and_failures_count_by_code(shelf):
    codes = {"a.mp4": None, "b.mp4": FileCode.CORRUPT, "c.mp4": FileCode.EMPTY, "d.mp4": None}
    for name in codes:
        shelf.put(name)
    shelf.index(fails=lambda path: codes[path.name])
    status = shelf.library.status()
    assert dict(status.videos) == {"ok": 2, "corrupt": 1, "empty": 1}
    assert (status.clips, status.names) == (4, 4)
    failed = [
        (record.path.name, record.code, record.message) for record in shelf.library.failures()
    ]
    assert failed == [("b.mp4", "corrupt", "it is corrupt"), ("c.mp4", "empty", "it is empty")]


def test_the_room_is_light_until_it_is_used():
    program = (
        "import sys, moviola.library\n"
        "heavy = {'lancedb', 'pyarrow', 'torch', 'pydantic'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
