"""What is an input: folders, links, hostile names, things that are no files."""

from __future__ import annotations

import os
import socket

import pytest

from moviola.core import FileCode, VideoUnreadableError
from moviola.library import InputFile, UnreadableEntry, content_id, scan

SUFFIXES = frozenset({".mp4", ".mkv"})
HOSTILE = [
    b"caf\xe9.mp4",
    b"\xff\xfe.mkv",
    "日本語🎬.mp4".encode(),
    "e\u0301.mp4".encode(),
    "\u00e9.mp4".encode(),
    b"new\nline.mp4",
    b"tab\there.mp4",
    b"\x1b[31mred.mp4",
    "\u202egnp.mp4".encode(),
    b"-rf.mp4",
    b" lead.mp4",
    b"trail .mp4",
    b"x..%2f..%2fetc.mp4",
    b"a#t=1?x&y.mp4",
    b"<img onerror=1>'\".mp4",
    b"http:x.mp4",
    b"concat:a|b.mp4",
    b"CON.mp4",
    b"x" * 251 + b".mp4",
]


def names(entries) -> list[str]:
    return [entry.path.name for entry in entries]


def test_folders_are_read_at_any_depth_and_in_order(shelf):
    for name in ("b.mp4", "a.MKV", "sub/c.Mp4", "sub/deep/d.mp4", "a-sub/e.mp4", "note.txt"):
        shelf.put(name)
    (shelf.folder / "empty").mkdir()
    assert names(scan([shelf.folder], SUFFIXES)) == ["a.MKV", "b.mp4", "e.mp4", "c.Mp4", "d.mp4"]


def test_dot_files_and_unfinished_files_are_no_inputs(shelf):
    for name in (".a.mp4", ".cache/b.mp4", "c.mp4.part", "d.mp4.partial", "mp4", "e.mp4~"):
        shelf.put(name)
    assert names(scan([shelf.folder], SUFFIXES)) == []


def test_a_file_named_directly_is_an_input_whatever_its_suffix(shelf):
    odd = shelf.put("film.xyz")
    hidden = shelf.put(".film")
    entries = list(scan([odd, hidden, odd], SUFFIXES))
    assert names(entries) == ["film.xyz", ".film"]
    assert entries[0].root == shelf.folder


def test_repeated_and_nested_roots_give_each_file_once(shelf, monkeypatch):
    shelf.put("a.mp4")
    shelf.put("sub/b.mp4")
    monkeypatch.chdir(shelf.folder)
    slashed = shelf.folder / "sub" / ".." / "sub"
    roots = [shelf.folder / "sub", slashed, shelf.folder, shelf.folder.relative_to(shelf.folder)]
    found = list(scan(roots, SUFFIXES))
    assert sorted(names(found)) == ["a.mp4", "b.mp4"]
    assert all(entry.path.is_absolute() and ".." not in entry.path.parts for entry in found)


def test_the_real_name_wins_over_links_to_it(shelf):
    shelf.put("m.mp4")
    (shelf.folder / "a.mp4").symlink_to("m.mp4")
    (shelf.folder / "z.mp4").symlink_to(shelf.folder / "m.mp4")
    assert names(scan([shelf.folder], SUFFIXES)) == ["m.mp4"]


def test_a_link_to_a_file_elsewhere_is_an_input_once(shelf, tmp_path):
    (tmp_path / "elsewhere.bin").write_bytes(b"film")
    for name in ("a.mp4", "b.mp4"):
        (shelf.folder / name).symlink_to(tmp_path / "elsewhere.bin")
    assert names(scan([shelf.folder], SUFFIXES)) == ["a.mp4"]


def test_linked_folders_are_followed_and_loops_end(shelf, tmp_path):
    shelf.put("sub/a.mp4")
    (shelf.folder / "sub" / "up").symlink_to("..")
    (shelf.folder / "again").symlink_to("sub")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "b.mp4").write_bytes(b"b")
    (tmp_path / "outside" / "back").symlink_to(shelf.folder)
    (shelf.folder / "out").symlink_to(tmp_path / "outside")
    found = list(scan([shelf.folder], SUFFIXES))
    assert [entry.path for entry in found] == [
        shelf.folder / "sub" / "a.mp4",
        shelf.folder / "out" / "b.mp4",
    ]


def test_a_deep_chain_of_folders_is_no_problem(shelf):
    folder = shelf.folder
    for _ in range(400):
        folder /= "d"
    folder.mkdir(parents=True)
    (folder / "a.mp4").write_bytes(b"a")
    assert names(scan([shelf.folder], SUFFIXES)) == ["a.mp4"]


def test_a_folder_with_the_suffix_of_a_video_is_a_folder(shelf):
    shelf.put("season.mp4/one.mp4")
    assert names(scan([shelf.folder], SUFFIXES)) == ["one.mp4"]


def test_what_is_no_file_comes_out_unreadable_without_being_opened(shelf, monkeypatch):
    os.mkfifo(shelf.folder / "pipe.mp4")
    (shelf.folder / "dangling.mp4").symlink_to("nowhere")
    (shelf.folder / "self.mkv").symlink_to("self.mkv")
    (shelf.folder / "dangling.txt").symlink_to("nowhere")
    with socket.socket(socket.AF_UNIX) as server:
        monkeypatch.chdir(shelf.folder)  # names of sockets are short
        server.bind("socket.mp4")
        found = {entry.path.name: entry for entry in scan([shelf.folder], SUFFIXES)}
    assert {name: entry.code for name, entry in found.items()} == {
        "pipe.mp4": FileCode.UNREADABLE,
        "socket.mp4": FileCode.UNREADABLE,
        "dangling.mp4": FileCode.VANISHED,
        "self.mkv": FileCode.UNREADABLE,
    }
    assert "named pipe" in found["pipe.mp4"].message


def test_a_name_that_is_not_there_is_told(tmp_path):
    (entry,) = scan([tmp_path / "nowhere"], SUFFIXES)
    assert isinstance(entry, UnreadableEntry)
    assert (entry.code, entry.is_folder) == (FileCode.VANISHED, False)


def test_a_folder_that_cannot_be_listed_is_reported_and_the_rest_is_read(shelf, monkeypatch):
    shelf.put("locked/a.mp4")
    shelf.put("open/b.mp4")
    real = os.scandir

    def scandir(path):
        if os.fspath(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    folder, file = scan([shelf.folder], SUFFIXES)
    assert (folder.code, folder.is_folder) == (FileCode.UNREADABLE, True)
    assert file.path.name == "b.mp4"


def test_a_file_that_vanishes_during_the_scan_is_told(shelf, monkeypatch):
    shelf.put("a.mp4")
    entries = scan([shelf.folder], SUFFIXES)
    real = os.scandir

    class Listing:
        def __enter__(self):
            with real(shelf.folder) as listing:
                found = list(listing)
            (shelf.folder / "a.mp4").unlink()
            return iter(found)

        def __exit__(self, *_):
            return None

    monkeypatch.setattr(os, "scandir", lambda _: Listing())
    (entry,) = entries
    assert entry.code == FileCode.VANISHED


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_are_ordinary_files(shelf, name):
    shelf.put(name)
    (entry,) = scan([shelf.folder], SUFFIXES)
    assert os.fsencode(entry.path.name) == name
    assert len(content_id(entry)) == 32


def test_content_ids_follow_the_bytes_only(shelf):
    shelf.put("a.mp4", "same")
    shelf.put("b.mkv", "same")
    shelf.put("c.mp4", "other")
    one, two, other = (content_id(entry) for entry in scan([shelf.folder], SUFFIXES))
    assert one == two != other


@pytest.mark.parametrize("change", ["rewritten", "replaced", "touched", "gone", "pipe"])
def test_a_file_that_changed_since_the_scan_is_told(shelf, change):
    path = shelf.put("a.mp4")
    (entry,) = scan([shelf.folder], SUFFIXES)
    assert entry.is_unchanged()
    if change == "rewritten":
        path.write_bytes(b"more bytes")
    elif change == "replaced":
        shelf.put("new.mp4", "a.mp4").replace(path)
    elif change == "touched":
        os.utime(path, ns=(0, 0))
    else:
        path.unlink()
    if change == "pipe":
        os.mkfifo(path)
    assert not entry.is_unchanged()
    with pytest.raises(VideoUnreadableError) as refusal:
        content_id(entry)
    wanted = FileCode.VANISHED if change == "gone" else FileCode.CHANGED_WHILE_READING
    assert refusal.value.code == wanted


def test_a_file_without_permission_is_unreadable(shelf, monkeypatch):
    shelf.put("a.mp4")
    (entry,) = scan([shelf.folder], SUFFIXES)
    assert isinstance(entry, InputFile)

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(VideoUnreadableError, match="Permission denied") as refusal:
        content_id(entry)
    assert refusal.value.code == FileCode.UNREADABLE


@pytest.mark.parametrize("stamp", [-1_000_000_000, 0, 4_102_444_800 * 10**9])
def test_strange_times_are_kept(shelf, stamp):
    os.utime(shelf.put("a.mp4"), ns=(stamp, stamp))
    (entry,) = scan([shelf.folder], SUFFIXES)
    assert entry.mtime_ns == stamp
