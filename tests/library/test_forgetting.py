"""Forgetting: hidden at once, undone while it lasts, deleted by those who tidy."""

from __future__ import annotations

import shutil

import pytest

from moviola.library import Library, find_absent
from moviola.library.storage import writing


@pytest.fixture
def stocked(shelf):
    for name in ("a.mp4", "b.mp4", "sub/c.mp4"):
        shelf.put(name)
    shelf.index()
    return shelf


def forget(shelf, *names):
    with shelf.library.writer() as writer:
        return writer.forget([shelf.folder / name for name in names])


def restore(shelf, *names):
    with shelf.library.writer() as writer:
        return writer.restore([shelf.folder / name for name in names] if names else None)


def shown(shelf) -> set[str]:
    return {
        str(name.path.relative_to(shelf.folder))
        for record in Library.open(shelf.library.path).videos()
        for name in record.names
    }


def rows(shelf) -> int:
    return Library.open(shelf.library.path)._reader.tables.clips.count_rows()


def test_what_is_forgotten_is_shown_nowhere(stocked):
    assert forget(stocked, "a.mp4", "nowhere.mp4") == [stocked.folder / "a.mp4"]
    library = Library.open(stocked.library.path)
    assert shown(stocked) == {"b.mp4", "sub/c.mp4"}
    assert len(library.snapshot().records) == 2
    assert library.status().names == 2
    assert library.status().clips == 4
    assert len(library.embeddings().items) == 2
    assert rows(stocked) == 6  # marked, not deleted
    assert forget(stocked, "a.mp4") == []


def test_the_last_forgetting_can_be_undone(stocked):
    forget(stocked, "a.mp4")
    forget(stocked, "b.mp4", "sub/c.mp4")
    assert len(restore(stocked)) == 2
    assert shown(stocked) == {"b.mp4", "sub/c.mp4"}
    assert restore(stocked, "a.mp4", "b.mp4") == [stocked.folder / "a.mp4"]
    assert shown(stocked) == {"a.mp4", "b.mp4", "sub/c.mp4"}
    assert restore(stocked) == []
    assert stocked.library.verify() == []


def test_forgetting_is_ordered_even_where_the_clock_goes_back(stocked, monkeypatch):
    forget(stocked, "a.mp4")
    monkeypatch.setattr(writing.time, "time_ns", lambda: 1)
    forget(stocked, "b.mp4")
    assert restore(stocked) == [stocked.folder / "b.mp4"]


def test_a_writer_that_tidies_deletes_what_was_forgotten_before_it(stocked):
    forget(stocked, "a.mp4")
    with stocked.library.writer() as writer:
        writer.forget([stocked.folder / "b.mp4"])
        writer.tidy()
        (gone,) = writer.removed
    assert rows(stocked) == 4
    assert restore(stocked) == [stocked.folder / "b.mp4"]  # what it forgot itself stays
    assert shown(stocked) == {"b.mp4", "sub/c.mp4"}
    assert gone not in {record.id for record in stocked.library.videos()}
    assert stocked.library.verify() == []


def test_one_of_two_names_is_forgotten_alone(stocked):
    stocked.put("copy.mp4", "a.mp4")
    stocked.index()
    forget(stocked, "a.mp4")
    assert shown(stocked) == {"b.mp4", "sub/c.mp4", "copy.mp4"}
    with stocked.library.writer() as writer:
        writer.tidy()
        assert writer.removed == []
    assert rows(stocked) == 6
    assert shown(stocked) == {"b.mp4", "sub/c.mp4", "copy.mp4"}


def test_a_file_that_is_still_there_comes_back_undecoded_with_its_folder(stocked):
    forget(stocked, "a.mp4")
    decoded = len(stocked.decoded)
    stocked.index()
    assert shown(stocked) == {"a.mp4", "b.mp4", "sub/c.mp4"}
    assert len(stocked.decoded) == decoded


def test_a_missing_file_stays_forgotten(stocked):
    (stocked.folder / "a.mp4").unlink()
    forget(stocked, "a.mp4")
    assert stocked.index().missing == ()
    assert shown(stocked) == {"b.mp4", "sub/c.mp4"}


def test_roots_disappear_with_their_last_video(stocked, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "d.mp4").write_bytes(b"d")
    stocked.index(other)
    assert stocked.library.roots() == [other, stocked.folder]
    with stocked.library.writer() as writer:
        writer.forget([other / "d.mp4"])
    assert stocked.library.roots() == [stocked.folder]


def test_absent_files_are_told_from_folders_that_are_not_mounted(stocked, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    (disk / "d.mp4").write_bytes(b"d")
    stocked.index(disk)
    names = [name for record in stocked.library.videos() for name in record.names]
    assert find_absent(names) == ([], [])
    shutil.rmtree(disk)
    (stocked.folder / "a.mp4").unlink()
    absent, left = find_absent(names)
    assert [name.path for name in absent] == [stocked.folder / "a.mp4"]
    assert left == [disk]
