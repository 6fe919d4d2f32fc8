"""What takes over a worker finds no secrets, no network, no programs and nothing to write."""

from __future__ import annotations

import errno
import json
import os
import socket
import sys
import textwrap

import pytest

from moviola.core import FileCode, UniformSampler, VideoUnreadableError
from moviola.video import DecodePool, ReadRequest, read_frames_at, tell_confinement
from moviola.video.worker import confinement
from moviola.video.worker.process import worker_command

linux = pytest.mark.skipif(sys.platform != "linux", reason="Landlock and seccomp are Linux's")

SPY = """
import errno, json, os, socket, subprocess, tempfile
from dataclasses import dataclass

def refused(attempt):
    try:
        attempt()
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"

@dataclass
class Spy:
    folder: str
    port: int
    spec = "spy"

    def segment(self, path, info):
        found = {
            "environment": sorted(os.environ),
            "tcp": refused(lambda: socket.create_connection(("127.0.0.1", self.port), 1)),
            "udp": refused(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)),
            "unix": refused(lambda: socket.socket(socket.AF_UNIX)),
            "program": refused(lambda: os.execv("/bin/true", ["true"])),
            "write": refused(lambda: open(self.folder + "/new", "w")),
            "change": refused(lambda: open(self.folder + "/old", "r+")),
            "cut": refused(lambda: os.truncate(self.folder + "/old", 0)),
            "remove": refused(lambda: os.remove(self.folder + "/old")),
            "rename": refused(lambda: os.rename(self.folder + "/old", self.folder + "/new")),
            "folder": refused(lambda: os.mkdir(self.folder + "/new")),
            "link": refused(lambda: os.symlink("old", self.folder + "/new")),
            "read": refused(lambda: open(self.folder + "/old").close()),
            "discard": refused(lambda: open(os.devnull, "r+b", buffering=0).close()),
            "ask": refused(tempfile.gettempdir),
        }
        raise RuntimeError("<" + json.dumps(found).replace('"', "'") + ">")
"""


def spy(studio, folder, monkeypatch):
    """What a segmenter finds that does its worst in a worker."""
    (folder / "code").mkdir()
    (folder / "code" / "a_spy.py").write_text(textwrap.dedent(SPY))
    (folder / "old").write_text("precious")
    monkeypatch.syspath_prepend(folder / "code")
    monkeypatch.setenv("SECRET_TOKEN", "hush")
    from a_spy import Spy

    path = studio.film(folder / "v.mp4", 5)
    with socket.create_server(("127.0.0.1", 0)) as server, DecodePool(1) as pool:
        segmenter = Spy(str(folder), server.getsockname()[1])
        (done,) = pool.read([ReadRequest(1, path, segmenter, UniformSampler(1))])
    told = done.message[done.message.index("<") + 1 : done.message.rindex(">")]
    return json.loads(told.replace("'", '"').replace("\\", ""))


@linux
def test_a_worker_that_is_taken_over_reaches_nothing(studio, tmp_path, monkeypatch):
    holds = tell_confinement()
    if confinement.NO_WRITING not in holds or confinement.NO_NETWORK not in holds:
        pytest.skip(f"this system keeps a worker only from: {holds}")
    found = spy(studio, tmp_path, monkeypatch)
    assert not {"SECRET_TOKEN", "HOME", "PATH"} & set(found.pop("environment"))
    # Packages that are imported discard what they print, and ask where temporary files would go.
    assert {found.pop("read"), found.pop("discard"), found.pop("ask")} == {"done"}
    assert set(found.values()) <= {"EPERM", "EACCES"}, found
    assert (tmp_path / "old").read_text() == "precious"
    assert not (tmp_path / "new").exists()


def test_a_worker_gets_none_of_the_callers_variables(studio, tmp_path, monkeypatch):
    found = spy(studio, tmp_path, monkeypatch)
    allowed = {"LC_ALL", "LC_CTYPE", "LANG", "SYSTEMROOT", "OPENBLAS_NUM_THREADS"}
    assert set(found["environment"]) <= allowed | {"OMP_NUM_THREADS"}


@linux
@pytest.mark.parametrize("missing", ["prctl", "landlock", "machine", "everything"])
def test_where_the_system_does_not_permit_it_files_are_read_all_the_same(
    studio, tmp_path, monkeypatch, missing
):
    # A kernel without the calls, or a container that refuses them.
    path = studio.film(tmp_path / "v.mp4", 5)
    breaks = {
        "prctl": "confinement._SET_SECCOMP = 9999",
        "landlock": "confinement._CREATE_RULESET = 9999",
        "machine": "confinement._REFUSED = {}",
        "everything": "confinement._SET_NO_NEW_PRIVILEGES = 9999",
    }
    program = (
        "import sys; sys.path[:] = sys.argv[1:]; from moviola.video.worker import confinement; "
        f"{breaks[missing]}; from moviola.video.worker.program import main; main()"
    )
    command = [sys.executable, "-I", "-c", program, *worker_command()[4:]]
    monkeypatch.setattr("moviola.video.worker.pool.worker_command", lambda: command)
    monkeypatch.setattr("moviola.video.worker.once.worker_command", lambda: command)
    holds = set(tell_confinement())
    assert len(read_frames_at(path, [0.0]).pixels) == 1
    if missing in ("prctl", "machine"):
        assert confinement.NO_NETWORK not in holds
    else:
        assert confinement.NO_WRITING not in holds
        assert confinement.NO_FILLING in holds
    if missing == "everything":
        assert holds == {confinement.NO_FILLING}


def test_an_error_of_the_system_is_told_by_its_number():
    with pytest.raises(OSError, match="EBADF") as caught:
        confinement._call(_failing)
    assert caught.value.errno == errno.EBADF


def _failing() -> int:
    import ctypes

    ctypes.set_errno(errno.EBADF)
    return -1


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX")
def test_a_file_that_may_not_be_read_has_its_code(tmp_path):
    path = tmp_path / "v.mp4"
    path.write_bytes(b"x" * 100)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("root may read everything")
    with pytest.raises(VideoUnreadableError) as caught:
        read_frames_at(path, [0.0])
    assert caught.value.code is FileCode.UNREADABLE
