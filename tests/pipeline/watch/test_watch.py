from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest

from moviola.library import Library, writer_lock
from moviola.pipeline.watch import watch as watching
from moviola.pipeline.watch.watch import watch

ECHO = "moviola.testing:EchoEncoder"


class Notes:
    """Writes down what it is told, and can be waited for."""

    def __init__(self) -> None:
        self.reports, self.growing, self.locks = [], [], []

    def waiting(self, growing):
        self.growing.append(growing)

    def locked(self, message):
        self.locks.append(message)

    def step(self, step):
        pass

    def indexed(self, report):
        self.reports.append(report)


def until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


@pytest.fixture
def watched(tmp_path, colour_video):
    """A folder with one video that is watched in a thread."""
    folder, library = tmp_path / "videos", tmp_path / "library"
    folder.mkdir()
    made = colour_video(tmp_path / "made.mp4", (220, 20, 20), seconds=2)
    shutil.copy(made, folder / "first.mp4")
    notes, stopped = Notes(), threading.Event()
    thread = threading.Thread(
        target=watch,
        args=([folder], notes),
        kwargs={"library": library, "rest": 0.6, "every": 0.1, "stopped": stopped, "model": ECHO},
    )
    thread.start()
    yield folder, library, notes, made
    stopped.set()
    thread.join(60)
    assert not thread.is_alive()


def test_files_are_indexed_as_they_settle_and_marked_when_they_go(watched, monkeypatch):
    folder, library, notes, made = watched
    until(lambda: len(notes.reports) == 1)
    assert (notes.reports[0].ok, notes.growing[0]) == (1, 1)
    loaded = []
    monkeypatch.setattr(watching, "load_aligned", lambda *given: loaded.append(given))

    data = made.read_bytes()
    copy = folder / "second.mp4"
    with copy.open("wb") as file:  # a copy that takes its time
        for part in range(4):
            file.write(data[part * len(data) // 4 : (part + 1) * len(data) // 4])
            file.flush()
            time.sleep(0.3)
            assert len(notes.reports) == 1
        file.write(b"\0" * 64)  # so that it is no copy of the first
    until(lambda: len(notes.reports) == 2)
    assert (notes.reports[1].ok, notes.reports[1].failed, notes.reports[1].skipped) == (1, 0, 1)
    assert loaded == []  # the model stays

    (folder / "first.mp4").unlink()
    until(lambda: len(notes.reports) == 3)
    names = {
        name.path.name: name.missing for r in Library.open(library).videos() for name in r.names
    }
    assert names == {"first.mp4": True, "second.mp4": False}


def test_another_writer_is_waited_for(watched):
    folder, library, notes, made = watched
    until(lambda: len(notes.reports) == 1)
    with writer_lock(library):
        (folder / "more.mp4").write_bytes(made.read_bytes() + b"\0" * 64)
        until(lambda: notes.locks)
        assert len(notes.reports) == 1
    until(lambda: len(notes.reports) == 2)
    assert notes.reports[1].ok == 1
    assert len(notes.locks) == 1


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing at"):
        watch([tmp_path / "nowhere"], Notes(), library=tmp_path / "library")


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_it_with_its_code(tmp_path, colour_video):
    (tmp_path / "videos").mkdir()
    colour_video(tmp_path / "videos" / "red.mp4", (220, 20, 20), seconds=2)
    command = ["watch", str(tmp_path / "videos"), "--library", str(tmp_path / "lib")]
    command += ["--model", ECHO, "--rest", "0.5", "--json"]
    with subprocess.Popen(
        [sys.executable, "-m", "moviola", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert '"ok": 1' in process.stdout.readline()
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    assert "interrupted" in said
    assert "Traceback" not in said
    assert Library.open(tmp_path / "lib").videos()
