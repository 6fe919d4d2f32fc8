"""Cases of the plan that no other test of the library holds, named by their ids."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from moviola.core import FileCode, VideoUnreadableError
from moviola.library import Library, content_id, scan

SUFFIXES = frozenset({".mp4", ".mkv"})


def test_f07_names_that_differ_in_case_alone_are_two_files(shelf):
    shelf.put("a.mp4", "one")
    shelf.put("A.MP4", "two")
    if len(list(shelf.folder.iterdir())) == 1:
        pytest.skip("this disk takes them for one name")
    found = list(scan([shelf.folder], SUFFIXES))
    assert sorted(entry.path.name for entry in found) == ["A.MP4", "a.mp4"]
    assert len({content_id(entry) for entry in found}) == 2


def test_f10_hard_links_are_one_content_under_both_names(shelf):
    first = shelf.put("a.mp4")
    os.link(first, shelf.folder / "b.mp4")
    found = list(scan([shelf.folder], SUFFIXES))
    assert [entry.path.name for entry in found] == ["a.mp4", "b.mp4"]
    assert len({content_id(entry) for entry in found}) == 1


def test_f14_thousands_of_empty_folders_and_files_are_read_in_order(shelf):
    for number in range(2_000):
        (shelf.folder / f"empty{number}").mkdir()
    wanted = [f"{number:05d}.mp4" for number in range(3_000)]
    for name in wanted:
        (shelf.folder / name).touch()
    began = time.monotonic()
    assert [entry.path.name for entry in scan([shelf.folder], SUFFIXES)] == wanted
    assert time.monotonic() - began < 30


@pytest.mark.slow
def test_f14_ten_thousand_empty_folders_and_a_hundred_thousand_files(shelf):
    for number in range(10_000):
        (shelf.folder / f"empty{number}").mkdir()
    for number in range(100_000):
        folder = shelf.folder / f"{number // 1000:03d}"
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.mp4").touch()
    began = time.monotonic()
    assert sum(1 for _ in scan([shelf.folder], SUFFIXES)) == 100_000
    assert time.monotonic() - began < 100  # the goal is 10 s for 10,000 files


def test_f24_a_disk_that_fails_while_it_is_read_has_its_code(shelf, monkeypatch):
    shelf.put("a.mp4")
    (entry,) = scan([shelf.folder], SUFFIXES)
    real = os.open

    def fail(path, *rest, **options):
        if os.fspath(path) == os.fspath(entry.path):
            raise OSError(errno.EIO, "Input/output error", path)
        return real(path, *rest, **options)

    monkeypatch.setattr(os, "open", fail)
    with pytest.raises(VideoUnreadableError, match="Input/output error") as refusal:
        content_id(entry)
    assert refusal.value.code is FileCode.UNREADABLE


def test_f29_one_relative_path_below_two_roots_is_two_files(tmp_path):
    for root in ("one", "two"):
        (tmp_path / root / "sub").mkdir(parents=True)
        (tmp_path / root / "sub" / "a.mp4").write_text(root)
    found = list(scan([tmp_path / "one", tmp_path / "two"], SUFFIXES))
    assert [entry.path.relative_to(tmp_path).parts[0] for entry in found] == ["one", "two"]
    assert len({content_id(entry) for entry in found}) == 2


RACE = """
import sys, time
from pathlib import Path
from fixtures.shelf import SUFFIXES, Shelf
from moviola.core import LibraryLockedError
from moviola.library import Library, scan
library = Library.open(Path(sys.argv[1]))
Path(sys.argv[3]).touch()
while not Path(sys.argv[4]).exists():
    time.sleep(0.001)
left, refused = 1, 0
while left:
    try:
        with library.writer() as writer:
            found = writer.plan(scan([Path(sys.argv[2])], SUFFIXES)).decode
            left = len(found)
            for video in found[:4]:
                Shelf.encode(writer, video)
    except LibraryLockedError:
        refused += 1
    time.sleep(0.005)
print(refused)
"""


def test_c19_two_writers_that_race_double_nothing(shelf, tmp_path):
    names = {f"{number}.mp4" for number in range(20)}
    for name in names:
        shelf.put(name)
    start = tmp_path / "start"
    support = Path(__file__).parents[1] / "support"
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACE, shelf.library.path, shelf.folder, tmp_path / each, start],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(support)},
        )
        for each in ("one", "two")
    ]
    deadline = time.monotonic() + 120
    while not all((tmp_path / each).exists() for each in ("one", "two")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    start.touch()
    refusals = [int(racer.communicate(timeout=240)[0]) for racer in racers]
    assert sum(refusals), "they never met"
    library = Library.open(shelf.library.path)
    assert {name.path.name for record in library.videos() for name in record.names} == names
    tables = library._reader.tables
    clips = tables.read(tables.clips, ["id"]).to_pylist()
    assert len(clips) == len({clip["id"] for clip in clips}) == 40
