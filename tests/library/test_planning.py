"""Incremental runs: what is decoded again, and what never is."""

from __future__ import annotations

import os
import shutil

import pytest

from moviola.core import FileCode, VideoUnreadableError
from moviola.library import identity, planning, scan
from moviola.library.identity import WHOLE_BYTES, is_sampled

SUFFIXES = frozenset({".mp4", ".mkv"})


def counts(plan) -> dict[str, int]:
    parts = ("decode", "unchanged", "moved", "duplicates", "failed", "failed_before", "missing")
    found = {part: len(getattr(plan, part)) for part in parts}
    return {part: count for part, count in found.items() if count}


def test_an_unchanged_folder_is_neither_decoded_nor_read(shelf, monkeypatch):
    shelf.put("a.mp4")
    shelf.put("sub/b.mp4")
    assert counts(shelf.index()) == {"decode": 2}
    monkeypatch.setattr(planning, "content_id", lambda file: pytest.fail(f"{file} was read"))
    version = shelf.library.videos(), shelf.library.status().bytes
    plan = shelf.index()
    assert counts(plan) == {"unchanged": 2}
    assert (plan.inputs, plan.skipped, len(shelf.decoded)) == (2, 2, 2)
    assert (shelf.library.videos(), shelf.library.status().bytes) == version


def test_a_renamed_file_is_recognised_by_its_content(shelf):
    shelf.put("a.mp4")
    shelf.index()
    (shelf.folder / "a.mp4").rename(shelf.folder / "z.mp4")
    assert counts(shelf.index()) == {"moved": 1}
    assert shelf.paths() == {"ok": {"z.mp4"}}
    assert counts(shelf.index()) == {"unchanged": 1}
    assert len(shelf.decoded) == 1


def test_a_renamed_folder_decodes_nothing(shelf):
    for name in "abc":
        shelf.put(f"old/{name}.mp4")
    shelf.index()
    (shelf.folder / "old").rename(shelf.folder / "new")
    assert counts(shelf.index()) == {"moved": 3}
    assert len(shelf.decoded) == 3


def test_two_names_of_one_content_are_decoded_once_and_both_kept(shelf):
    shelf.put("a.mp4", "same")
    shelf.put("b.mp4", "same")
    plan = shelf.index()
    assert [len(video.files) for video in plan.decode] == [2]
    assert plan.inputs == 2
    assert shelf.paths() == {"ok": {"a.mp4", "b.mp4"}}
    shelf.put("c.mp4", "same")
    os.link(shelf.folder / "a.mp4", shelf.folder / "d.mp4")
    assert counts(shelf.index()) == {"unchanged": 2, "duplicates": 2}
    assert shelf.paths() == {"ok": {"a.mp4", "b.mp4", "c.mp4", "d.mp4"}}
    assert len(shelf.decoded) == 1
    assert shelf.library.status().clips == 2


def test_a_changed_file_is_decoded_and_its_old_content_goes(shelf):
    shelf.put("a.mp4", "first")
    shelf.index()
    shelf.put("a.mp4", "second")
    assert counts(shelf.index()) == {"decode": 1}
    assert shelf.paths() == {"ok": {"a.mp4"}}
    assert shelf.library.status().clips == 2
    assert shelf.library.verify() == []


def test_a_changed_file_leaves_its_old_content_to_the_other_name(shelf):
    shelf.put("a.mp4", "same")
    shelf.put("b.mp4", "same")
    shelf.index()
    shelf.put("a.mp4", "new")
    shelf.index()
    names = [sorted(n.path.name for n in record.names) for record in shelf.library.videos()]
    assert sorted(names) == [["a.mp4"], ["b.mp4"]]


def test_two_files_that_exchange_names_are_not_decoded(shelf):
    one, two = shelf.put("a.mp4", "one"), shelf.put("b.mp4", "two+")
    shelf.index()
    one.rename(shelf.folder / "t")
    two.rename(one)
    (shelf.folder / "t").rename(two)
    plan = shelf.index()
    assert plan.decode == ()
    assert plan.skipped == plan.inputs == 2
    assert len(shelf.decoded) == 2
    assert counts(shelf.index()) == {"unchanged": 2}
    assert shelf.paths() == {"ok": {"a.mp4", "b.mp4"}}
    assert all(len(record.names) == 1 for record in shelf.library.videos())


def test_a_touched_file_is_read_but_not_decoded(shelf):
    os.utime(shelf.put("a.mp4"), ns=(1, 1))
    shelf.index()
    os.utime(shelf.folder / "a.mp4", ns=(2, 2))
    assert counts(shelf.index()) == {"unchanged": 1}
    assert shelf.library.videos()[0].names[0].mtime_ns == 2


def test_a_file_whose_inode_alone_changed_is_read_again(shelf):
    path = shelf.put("a.mp4", "one")
    os.utime(path, ns=(5, 5))
    shelf.index()
    for content, expected in (("one", {"unchanged": 1}), ("two", {"decode": 1})):
        shelf.put("new.part", content)
        os.utime(shelf.folder / "new.part", ns=(5, 5))
        (shelf.folder / "new.part").replace(path)  # as programs do that save safely
        assert counts(shelf.index()) == expected
    assert len(shelf.decoded) == 2
    assert shelf.library.status().names == 1


def test_other_bytes_of_the_same_size_and_time_are_found_by_reading_everything(shelf):
    path = shelf.put("a.mp4", "one")
    os.utime(path, ns=(5, 5))
    shelf.index()
    path.write_bytes(b"two")
    os.utime(path, ns=(5, 5))
    assert counts(shelf.index()) == {"unchanged": 1}
    assert counts(shelf.index(rehash=True)) == {"decode": 1}
    assert shelf.paths() == {"ok": {"a.mp4"}}


def test_a_deleted_file_is_marked_and_kept_until_it_is_forgotten(shelf):
    shelf.put("a.mp4")
    shelf.put("b.mp4")
    shelf.index()
    (shelf.folder / "b.mp4").unlink()
    assert counts(shelf.index()) == {"unchanged": 1, "missing": 1}
    assert counts(shelf.index()) == {"unchanged": 1, "missing": 1}
    assert shelf.library.status().missing == 1
    assert shelf.library.status().clips == 4
    with shelf.library.writer() as writer:
        assert writer.forget([shelf.folder / "b.mp4"]) == [shelf.folder / "b.mp4"]
    assert shelf.paths() == {"ok": {"a.mp4"}}
    assert shelf.library.status().clips == 2
    assert shelf.library.verify() == []


def test_a_file_that_comes_back_is_not_decoded(shelf, tmp_path):
    shelf.put("a.mp4")
    shelf.put("b.mp4")
    shelf.index()
    shutil.move(shelf.folder / "b.mp4", tmp_path / "b.mp4")
    shelf.index()
    shutil.move(tmp_path / "b.mp4", shelf.folder / "b.mp4")
    assert counts(shelf.index()) == {"unchanged": 2}
    assert shelf.library.status().missing == 0


@pytest.mark.parametrize("state", ["empty", "gone", "unreadable"])
def test_a_root_that_is_unmounted_marks_nothing(shelf, tmp_path, monkeypatch, state):
    shelf.put("disk/a.mp4")
    shelf.index()
    other = tmp_path / "other"
    other.mkdir()
    (other / "b.mp4").write_bytes(b"b")
    shutil.rmtree(shelf.folder / "disk")
    if state != "gone":
        (shelf.folder / "disk").mkdir()
    plan = shelf.index(shelf.folder / "disk", other)
    assert plan.missing == ()
    assert shelf.library.status().missing == 0


def test_a_nested_root_that_is_unmounted_marks_nothing(shelf):
    shelf.put("disk/a.mp4")
    shelf.put("b.mp4")
    shelf.index(shelf.folder / "disk", shelf.folder)
    shutil.rmtree(shelf.folder / "disk")
    (shelf.folder / "disk").mkdir()
    assert counts(shelf.index()) == {"unchanged": 1}


def test_files_in_a_folder_that_cannot_be_listed_are_not_missing(shelf, monkeypatch):
    shelf.put("locked/a.mp4")
    shelf.put("b.mp4")
    shelf.index()
    real = os.scandir

    def scandir(path):
        if os.fspath(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    plan = shelf.index()
    assert counts(plan) == {"unchanged": 1}
    assert [folder.path.name for folder in plan.folders] == ["locked"]


def test_other_folders_are_none_of_a_runs_business(shelf):
    shelf.put("one/a.mp4")
    shelf.put("two/b.mp4")
    shelf.index()
    (shelf.folder / "one" / "a.mp4").unlink()
    assert counts(shelf.index(shelf.folder / "two")) == {"unchanged": 1}


def test_a_failure_is_reported_on_every_run_and_decoded_only_on_request(shelf):
    shelf.put("a.mp4")
    shelf.put("bad.mp4")

    def fails(path):
        return FileCode.CORRUPT if path.name == "bad.mp4" else None

    assert counts(shelf.index(fails=fails)) == {"decode": 2}
    plan = shelf.index(fails=fails)
    assert counts(plan) == {"unchanged": 1, "failed_before": 1}
    assert [(file.path.name, file.code) for file in plan.failed_before] == [("bad.mp4", "corrupt")]
    assert (plan.skipped, plan.inputs) == (2, 2)
    assert len(shelf.decoded) == 2
    assert [record.code for record in shelf.library.failures()] == [FileCode.CORRUPT]
    assert counts(shelf.index(retry=True)) == {"decode": 1, "unchanged": 1}
    assert shelf.library.failures() == []
    assert shelf.paths() == {"ok": {"a.mp4", "bad.mp4"}}


@pytest.mark.parametrize("code", [code for code in FileCode if code.is_failure])
def test_passing_failures_are_retried_by_themselves(shelf, code):
    shelf.put("a.mp4")
    shelf.index(fails=lambda _: code)
    assert shelf.paths() == {code: {"a.mp4"}}
    passing = {"changed_while_reading", "vanished", "unreadable", "out_of_memory"}
    passing |= {"timeout", "decoder_crash"}
    plan = shelf.index(fails=lambda _: code)
    assert ("decode" in counts(plan)) == (code in passing)
    # Whoever fails the same way twice is left alone, until somebody asks.
    assert counts(shelf.index(fails=lambda _: code)) == {"failed_before": 1}
    assert counts(shelf.index(retry=True)) == {"decode": 1}
    assert shelf.paths() == {"ok": {"a.mp4"}}


def test_copies_of_a_failed_content_fail_with_it(shelf):
    shelf.put("a.mp4", "")
    shelf.put("b.mp4", "")
    shelf.index(fails=lambda _: FileCode.EMPTY)
    shelf.put("c.mp4", "")
    plan = shelf.index()
    assert counts(plan) == {"failed": 1, "failed_before": 2}
    assert shelf.paths() == {"empty": {"a.mp4", "b.mp4", "c.mp4"}}


def test_a_failed_file_that_is_deleted_is_no_failure_any_more(shelf):
    shelf.put("a.mp4")
    shelf.put("bad.mp4")
    shelf.index(fails=lambda path: FileCode.CORRUPT if path.name == "bad.mp4" else None)
    (shelf.folder / "bad.mp4").unlink()
    assert counts(shelf.index()) == {"unchanged": 1}
    assert shelf.library.failures() == []


def test_a_failed_file_that_is_replaced_is_decoded(shelf):
    shelf.put("a.mp4", "broken")
    shelf.index(fails=lambda _: FileCode.TRUNCATED)
    shelf.put("a.mp4", "whole now")
    assert counts(shelf.index()) == {"decode": 1}
    assert shelf.paths() == {"ok": {"a.mp4"}}


def test_what_cannot_be_opened_is_recorded_until_it_can(shelf):
    os.mkfifo(shelf.folder / "a.mp4")
    (shelf.folder / "dangling.mp4").symlink_to("nowhere")
    assert counts(shelf.index()) == {"failed": 2}
    assert counts(shelf.index()) == {"failed_before": 2}
    assert shelf.paths() == {"unreadable": {"a.mp4"}, "vanished": {"dangling.mp4"}}
    (shelf.folder / "a.mp4").unlink()
    shelf.put("a.mp4")
    (shelf.folder / "dangling.mp4").unlink()
    assert counts(shelf.index()) == {"decode": 1}
    assert shelf.paths() == {"ok": {"a.mp4"}}


def test_a_name_that_never_was_is_reported_but_not_recorded(shelf):
    plan = shelf.index(shelf.folder / "typing-error.mp4")
    assert [file.code for file in plan.failed] == [FileCode.VANISHED]
    assert shelf.library.videos() == []


def test_a_known_file_that_cannot_be_read_for_once_keeps_its_clips(shelf, monkeypatch):
    path = shelf.put("a.mp4")
    shelf.index()
    os.utime(path, ns=(9, 9))
    real = os.open

    def refuse(name, *args):
        if os.fspath(name).endswith("a.mp4"):
            raise OSError(5, "Input/output error", name)
        return real(name, *args)

    monkeypatch.setattr(os, "open", refuse)
    assert counts(shelf.index()) == {"failed": 1}
    assert shelf.paths() == {"ok": {"a.mp4"}, "unreadable": {"a.mp4"}}
    assert shelf.library.status().clips == 2
    monkeypatch.undo()
    assert counts(shelf.index()) == {"unchanged": 1}
    assert shelf.paths() == {"ok": {"a.mp4"}}


def test_an_interrupted_run_decodes_only_the_rest(shelf):
    for number in range(6):
        shelf.put(f"{number}.mp4")

    def run():
        with shelf.library.writer() as writer:
            plan = writer.plan(scan([shelf.folder], SUFFIXES))
            for video in plan.decode[:4]:
                shelf.encode(writer, video)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()
    assert counts(shelf.index()) == {"unchanged": 4, "decode": 2}


def test_every_input_is_in_exactly_one_place(shelf):
    for number in range(8):
        shelf.put(f"{number}.mp4", str(number // 2))
    os.mkfifo(shelf.folder / "pipe.mp4")
    shelf.index(fails=lambda path: FileCode.CORRUPT if path.read_text() == "2" else None)
    shelf.put("0.mp4", "new")
    (shelf.folder / "6.mp4").rename(shelf.folder / "9.mp4")
    inputs = list(scan([shelf.folder], SUFFIXES))
    plan = shelf.index()
    assert plan.inputs == len(inputs) == 9
    places = [file.path for video in plan.decode for file in video.files]
    places += [file.path for file in (*plan.unchanged, *plan.moved, *plan.duplicates)]
    places += [file.path for file in (*plan.failed, *plan.failed_before)]
    assert sorted(places) == sorted(entry.path for entry in inputs)


def test_reading_is_told_beforehand(shelf):
    shelf.put("a.mp4")
    told = []
    with shelf.library.writer() as writer:
        writer.plan(scan([shelf.folder], SUFFIXES), progress=told.append)
    assert told == [shelf.folder / "a.mp4"]


def test_a_file_that_cannot_be_read_twice_is_left_alone_until_it_changes(shelf, monkeypatch):
    path = shelf.put("a.mp4")
    tried = []

    def refuse(file):
        tried.append(file.path)
        error = OSError(5, "Input/output error")
        raise VideoUnreadableError("no", code=FileCode.UNREADABLE) from error

    monkeypatch.setattr(planning, "content_id", refuse)
    assert counts(shelf.index()) == {"failed": 1}
    assert counts(shelf.index()) == {"failed": 1}
    assert counts(shelf.index()) == {"failed_before": 1}
    assert len(tried) == 2
    assert counts(shelf.index(retry=True)) == {"failed": 1}
    monkeypatch.undo()
    os.utime(path, ns=(9, 9))
    assert counts(shelf.index()) == {"decode": 1}
    assert shelf.paths() == {"ok": {"a.mp4"}}


def test_a_file_without_leave_is_an_old_failure_and_is_read_as_soon_as_it_may(shelf, monkeypatch):
    shelf.put("a.mp4")

    def refuse(_):
        raise VideoUnreadableError("no", code=FileCode.UNREADABLE) from PermissionError(13, "no")

    monkeypatch.setattr(planning, "content_id", refuse)
    assert counts(shelf.index()) == {"failed": 1}
    for _ in range(3):
        assert counts(shelf.index()) == {"failed_before": 1}
    monkeypatch.undo()
    assert counts(shelf.index()) == {"decode": 1}


def test_large_files_that_an_older_library_named_by_all_bytes_are_not_decoded(shelf, monkeypatch):
    path = shelf.put("a.mp4", "x" * 100)
    shelf.index()
    assert not is_sampled(shelf.library.videos()[0].id)
    for module in (planning, identity):
        monkeypatch.setattr(module, "WHOLE_BYTES", 50)
    path.rename(path.with_name("b.mp4"))
    assert counts(shelf.index()) == {"moved": 1}
    shelf.put("c.mp4", "y" * 100)  # of the same size, so it is read whole, and is another
    shelf.put("d.mp4", "x" * 101)
    read = []
    real = planning.whole_id
    monkeypatch.setattr(
        planning, "whole_id", lambda file: read.append(file.path.name) or real(file)
    )
    assert counts(shelf.index()) == {"unchanged": 1, "decode": 2}
    assert read == ["c.mp4"]
    assert sorted(is_sampled(record.id) for record in shelf.library.videos()) == [False, True, True]
    (shelf.folder / "c.mp4").rename(shelf.folder / "e.mp4")
    assert counts(shelf.index()) == {"unchanged": 2, "moved": 1}


def test_a_file_that_was_named_is_a_root_of_its_own(shelf):
    one, _ = shelf.put("a.mp4"), shelf.put("b.mp4")
    shelf.index(one)
    assert shelf.library.roots() == [one]
    shelf.index(shelf.folder)
    assert shelf.library.roots() == [shelf.folder]
    os.utime(one, ns=(7, 7))
    shelf.index(one)  # named once more, it stays with its folder
    shelf.index(shelf.put("sub/c.mp4").parent)
    assert {n.root for r in shelf.library.videos() for n in r.names} == {
        shelf.folder,
        shelf.folder / "sub",
    }
    assert shelf.library.roots() == [shelf.folder]


def test_only_a_whole_reading_finds_what_changed_between_the_blocks_of_a_large_file(shelf):
    path = shelf.folder / "large.mp4"
    path.write_bytes(bytes(WHOLE_BYTES + 1_000_000))
    stamps = path.stat()

    def change(value: bytes) -> None:
        with path.open("r+b") as file:
            file.seek(600_000)  # between the first block and the second
            file.write(value)
        os.utime(path, ns=(stamps.st_atime_ns, stamps.st_mtime_ns))

    assert counts(shelf.index()) == {"decode": 1}
    assert counts(shelf.index(rehash=True)) == {"unchanged": 1}
    (before,) = shelf.library.videos()
    change(b"x")
    assert counts(shelf.index()) == {"unchanged": 1}
    assert counts(shelf.index(rehash=True)) == {"decode": 1}
    (after,) = shelf.library.videos()
    assert before.id.endswith("-sampled")
    assert not after.id.endswith("-sampled")
    for rehash in (False, True):
        assert counts(shelf.index(rehash=rehash)) == {"unchanged": 1}
    assert shelf.library.verify(deep=True) == []
