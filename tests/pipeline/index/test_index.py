"""From folders to libraries: every input is accounted for, and no work is done twice."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import moviola
from moviola.core import LibraryLockedError, SpaceMismatchError, StorageError
from moviola.library import Library, identity, planning, writer_lock
from moviola.pipeline.encode import batches
from moviola.pipeline.index import opening
from moviola.pipeline.index.report import IndexStep
from moviola.testing import EchoEncoder

ECHO = "moviola.testing:EchoEncoder"
RED, GREEN, BLUE = (220, 20, 20), (20, 200, 20), (20, 20, 220)


@pytest.fixture
def folder(tmp_path, colour_video) -> Path:
    videos = tmp_path / "videos"
    videos.mkdir()
    colour_video(videos / "red.mp4", RED, seconds=2)
    colour_video(videos / "green.mp4", GREEN, seconds=2)
    colour_video(videos / "mixed.mp4", RED, BLUE, seconds=4)
    return videos


def run(folder: Path, library: Path, **options):
    return moviola.index([folder], library=library, **{"model": ECHO, **options})


def test_a_folder_is_indexed_and_searched(folder, tmp_path):
    steps: list[IndexStep] = []
    report = run(
        folder, tmp_path / "lib", segment="windows:2/1", on_progress=steps.append, workers=2
    )
    assert (report.ok, report.partial, report.failed, report.skipped) == (3, 0, 0, 0)
    assert report.clips == 1 + 1 + 7
    assert [step.done for step in steps] == [1, 2, 3]
    assert steps[-1] == IndexStep(3, 3, report.clips, 0)

    moments = moviola.search("blue", library=tmp_path / "lib", top=1)
    assert moments[0].path == folder / "mixed.mp4"
    assert moments[0].start == pytest.approx(4, abs=1.01)
    assert moments[0].end == pytest.approx(8, abs=0.2)
    assert 4 < moments[0].peak < 8


def test_an_unchanged_folder_decodes_nothing(folder, tmp_path, monkeypatch):
    first = run(folder, tmp_path / "lib")

    def refuse(*_args, **_kwargs):
        raise AssertionError("something was encoded")

    monkeypatch.setattr(EchoEncoder, "encode_videos", refuse)
    again = run(folder, tmp_path / "lib")
    assert (again.ok, again.skipped, again.clips) == (0, 3, first.clips)


def test_renamed_and_copied_files_are_recognised(folder, tmp_path):
    run(folder, tmp_path / "lib")
    (folder / "red.mp4").rename(folder / "rouge.mp4")
    (folder / "copy.mp4").write_bytes((folder / "green.mp4").read_bytes())
    report = run(folder, tmp_path / "lib")
    assert (report.ok, report.skipped, report.inputs) == (0, 4, 4)
    best = moviola.search("red", library=tmp_path / "lib", top=2, per_video=1)
    assert folder / "rouge.mp4" in [moment.path for moment in best]
    names = {n.path.name for v in Library.open(tmp_path / "lib").videos() for n in v.names}
    assert names == {"rouge.mp4", "green.mp4", "copy.mp4", "mixed.mp4"}


def test_duplicates_are_counted_as_skipped_and_decoded_once(folder, tmp_path):
    (folder / "copy.mp4").write_bytes((folder / "green.mp4").read_bytes())
    report = run(folder, tmp_path / "lib")
    assert (report.ok, report.skipped, report.inputs) == (3, 1, 4)


def test_failures_are_counted_repeated_and_retried(folder, tmp_path, colour_video):
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("this is no video")
    report = run(folder, tmp_path / "lib")
    assert (report.failed, report.failed_before) == (2, ())
    failures = {("empty.mp4", "empty"), ("text.mp4", "unsupported_container")}
    assert {(f.path.name, f.code) for f in report.failures} == failures
    report = run(folder, tmp_path / "lib")  # what is old is told, but fails no run
    assert (report.failed, report.skipped, report.inputs) == (0, 5, 5)
    assert {(f.path.name, f.code) for f in report.failed_before} == failures
    assert run(folder, tmp_path / "lib", retry=True).failed == 2
    colour_video(folder / "empty.mp4", BLUE)
    report = run(folder, tmp_path / "lib")
    assert (report.ok, report.failed, len(report.failed_before)) == (1, 0, 1)


def test_a_deleted_file_is_marked_and_an_unmounted_root_deletes_nothing(folder, tmp_path):
    run(folder, tmp_path / "lib")
    (folder / "red.mp4").unlink()
    run(folder, tmp_path / "lib")
    missing = [v.path.name for v in Library.open(tmp_path / "lib").videos() if v.is_missing]
    assert missing == ["red.mp4"]
    for file in folder.iterdir():
        file.unlink()
    run(folder, tmp_path / "lib")
    status = Library.open(tmp_path / "lib").status()
    assert status.missing == 1
    assert sum(status.videos.values()) == 3
    folder.rmdir()
    with pytest.raises(FileNotFoundError, match="nothing at"):
        run(folder, tmp_path / "lib")


def test_a_file_that_changes_while_it_is_read_is_not_trusted(folder, tmp_path, monkeypatch):
    original = EchoEncoder.encode_videos

    def and_append(self, clips):
        with (folder / "red.mp4").open("ab") as file:
            file.write(b"\0")
        return original(self, clips)

    monkeypatch.setattr(EchoEncoder, "encode_videos", and_append)
    report = run(folder / "red.mp4", tmp_path / "lib")
    assert [f.code for f in report.failures] == ["changed_while_reading"]
    monkeypatch.undo()
    assert run(folder / "red.mp4", tmp_path / "lib").ok == 1


def test_bad_vectors_fail_their_video_only(folder, tmp_path, monkeypatch):
    original = EchoEncoder.encode_videos
    monkeypatch.setattr(batches, "_BATCH", 1)

    def spoil_the_green(self, clips):
        rows = original(self, clips)
        return [
            np.full_like(row, np.nan) if clip.pixels[..., 1].mean() > 150 else row
            for clip, row in zip(clips, rows, strict=True)
        ]

    monkeypatch.setattr(EchoEncoder, "encode_videos", spoil_the_green)
    report = run(folder, tmp_path / "lib")
    assert [(f.path.name, f.code) for f in report.failures] == [("green.mp4", "bad_embedding")]
    assert report.ok == 2


@pytest.mark.parametrize("policy", ["whole", "windows:2/1", "windows:6/2"])
def test_another_policy_is_refused(folder, tmp_path, policy):
    run(folder, tmp_path / "lib", segment="windows:6/3")
    with pytest.raises(SpaceMismatchError, match=r"windows:6/3.*--library"):
        run(folder, tmp_path / "lib", segment=policy)


def test_the_library_remembers_model_and_policy(folder, tmp_path):
    run(folder, tmp_path / "lib", segment="windows:2/1")
    assert moviola.index([folder], library=tmp_path / "lib").skipped == 3


def test_two_writers_are_not_let_in(folder, tmp_path):
    run(folder, tmp_path / "lib")
    with (
        Library.open(tmp_path / "lib").writer(),
        pytest.raises(LibraryLockedError, match=str(os.getpid())),
    ):
        run(folder, tmp_path / "lib")


@pytest.mark.skipif(os.geteuid() == 0 if hasattr(os, "geteuid") else True, reason="root writes")
def test_a_read_only_library_is_refused_before_decoding(folder, tmp_path):
    run(folder, tmp_path / "lib")
    (tmp_path / "lib").chmod(0o500)
    try:
        with pytest.raises(StorageError):
            run(folder, tmp_path / "lib")
    finally:
        (tmp_path / "lib").chmod(0o700)


_INDEX = f"import sys, moviola; moviola.index(sys.argv[1:2], library=sys.argv[2], model='{ECHO}')"


def _kill_at(seconds: float, folder: Path, library: Path) -> None:
    command = [sys.executable, "-c", _INDEX, str(folder), str(library)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()


def _many(folder: Path, colour_video, count: int) -> None:
    for number in range(count):
        shade = (number * 11 % 250, number * 29 % 250, number * 53 % 250)
        colour_video(folder / f"v{number:03d}.mp4", shade)


@pytest.mark.parametrize(
    "kills", [pytest.param(3, id="three"), pytest.param(20, marks=pytest.mark.slow, id="twenty")]
)
def test_kills_lose_nothing_and_double_nothing(kills, tmp_path, colour_video):
    folder = tmp_path / "videos"
    folder.mkdir()
    _many(folder, colour_video, 12)
    library = tmp_path / "lib"
    rng = np.random.default_rng(kills)
    known: set[str] = set()
    for _ in range(kills):
        _kill_at(float(rng.uniform(0.3, 4.0)), folder, library)
        try:
            records = Library.open(library).videos()
        except FileNotFoundError:
            continue
        now = {record.id for record in records}
        assert known <= now, "something acknowledged was lost"
        known = now
    report = run(folder, library)
    assert report.ok + report.skipped == report.inputs == 12
    opened = Library.open(library)
    assert opened.verify() == []
    assert len(opened.videos()) == 12
    assert opened.status().clips == report.clips == 12


def test_one_path_is_as_good_as_several_and_a_tilde_is_home(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    library = tmp_path / "lib"
    assert moviola.index("~/videos/red.mp4", library=library, model=ECHO).ok == 1
    assert moviola.index(folder / "green.mp4", library=library).ok == 1
    assert moviola.index(["~/videos"], library="~/lib").ok == 1
    (tmp_path / "~no-such-user").mkdir()
    monkeypatch.chdir(tmp_path)
    assert moviola.index("~no-such-user", library=library).inputs == 0  # a name like others


def test_what_is_not_there_keeps_nothing_else_from_being_indexed(folder, tmp_path):
    report = moviola.index(
        [tmp_path / "nowhere", folder, folder / "typo.mp4"], library=tmp_path / "lib", model=ECHO
    )
    assert (report.ok, report.failed) == (3, 2)
    assert {(f.path.name, f.code) for f in report.failures} == {
        ("nowhere", "vanished"),
        ("typo.mp4", "vanished"),
    }


def test_without_folders_the_known_ones_are_refreshed(folder, tmp_path, colour_video):
    library, other = tmp_path / "lib", tmp_path / "disk"
    with pytest.raises(ValueError, match="name a folder"):
        moviola.index(library=library)
    assert not library.exists()
    other.mkdir()
    colour_video(other / "black.mp4", (0, 0, 0))
    run(folder, library)
    moviola.index([other, other / "black.mp4"], library=library)
    colour_video(folder / "new.mp4", BLUE)
    report = moviola.index(library=library)
    assert (report.ok, report.skipped, report.warnings) == (1, 4, ())
    other.rename(tmp_path / "elsewhere")
    report = moviola.index([], library=library)
    assert (report.failed, report.skipped) == (0, 4)
    (warning,) = report.warnings
    assert f"moviola forget {other}" in warning
    assert Library.open(library).status().missing == 0


def test_a_file_that_was_named_is_refreshed_without_its_folder(folder, tmp_path):
    library = tmp_path / "lib"
    run(folder / "red.mp4", library)
    assert moviola.index(library=library).inputs == 1


def test_the_lock_comes_before_the_model(folder, tmp_path, monkeypatch):
    run(folder, tmp_path / "lib")

    def refuse(*_args, **_options):
        raise AssertionError("a model was loaded")

    monkeypatch.setattr(opening, "load_aligned", refuse)
    began = time.process_time()
    with Library.open(tmp_path / "lib").writer(), pytest.raises(LibraryLockedError):
        run(folder, tmp_path / "lib")
    assert time.process_time() - began < 0.3
    (tmp_path / "new").mkdir()
    with writer_lock(tmp_path / "new"), pytest.raises(LibraryLockedError):
        run(folder, tmp_path / "new")


def test_a_cache_that_is_a_file_is_told_before_anything_is_decoded(folder, tmp_path):
    run(folder / "red.mp4", tmp_path / "lib")
    shutil.rmtree(tmp_path / "lib" / "cache")
    (tmp_path / "lib" / "cache").write_text("x")
    with pytest.raises(StorageError, match=r"cache is a file .* move it away"):
        run(folder, tmp_path / "lib")


def test_the_search_refuses_nonsense(folder, tmp_path):
    run(folder, tmp_path / "lib")
    with pytest.raises(ValueError, match="empty"):
        moviola.search("  ", library=tmp_path / "lib")
    with pytest.raises(ValueError, match="characters"):
        moviola.search("a" * 20_000, library=tmp_path / "lib")
    with pytest.raises(FileNotFoundError, match="moviola index"):
        moviola.search("red", library=tmp_path / "nowhere")


def test_a_large_file_that_changed_between_its_blocks_is_found_by_rehash(
    folder, tmp_path, monkeypatch
):
    monkeypatch.setattr(identity, "WHOLE_BYTES", 1000)
    monkeypatch.setattr(planning, "WHOLE_BYTES", 1000)
    monkeypatch.setattr(identity, "_BLOCK", 8)
    run(folder, tmp_path / "lib", segment="whole")
    video = folder / "red.mp4"
    stamps, whole = video.stat(), video.read_bytes()
    place = whole.index(b"x264 - core")  # said by the encoder inside the stream
    with video.open("r+b") as file:
        file.seek(place)
        file.write(b"y")
    os.utime(video, ns=(stamps.st_atime_ns, stamps.st_mtime_ns))
    assert run(folder, tmp_path / "lib").skipped == 3
    again = run(folder, tmp_path / "lib", rehash=True)
    assert (again.ok, again.skipped) == (1, 2)
    assert run(folder, tmp_path / "lib", rehash=True).skipped == 3
