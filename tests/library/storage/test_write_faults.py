"""A disk that fails at any single call: nothing acknowledged is lost, and the next run goes on."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from moviola.library import Library

HERE = Path(__file__).parent
PROGRAM = HERE / "writing_process.py"
FAULTS = {"error": errno.EIO, "full": errno.ENOSPC, "short": 0}

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("cc") is None, reason="needs Linux and a C compiler"
)


@pytest.fixture(scope="module")
def disk(tmp_path_factory) -> Path:
    """The library that stands before the C library."""
    made = tmp_path_factory.mktemp("disk") / "faulty_disk.so"
    source = HERE / "faulty_disk.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", made, source, "-ldl"], check=True)
    return made


def write(library: Library, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(PROGRAM), "index", str(library.path), str(folder)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def failing(disk: Path, library: Library, folder: Path, at: int, number: int) -> tuple[str, bool]:
    """Index while call `at` fails with `number`; what was said, and whether it came to that."""
    fired = library.path.parent / "fired"
    fired.unlink(missing_ok=True)
    done = write(
        library,
        folder,
        LD_PRELOAD=str(disk),
        FAULT_UNDER=str(library.path),
        FAULT_AT=str(at),
        FAULT_ERRNO=str(number),
        FAULT_FIRED=str(fired),
    )
    said = done.stderr.splitlines()[-1] if done.returncode else ""
    assert done.returncode == 0 or "StorageError: " in said, (at, number, done.stderr)
    assert done.returncode == 0 or number, "half a write is no error"
    return done.stdout, fired.exists()


def check(library: Library, said: str) -> None:
    acknowledged = {
        video
        for line in said.splitlines()
        if line.startswith("committed")
        for video in line.split()[1:]
    }
    opened = Library.open(library.path)
    assert opened.verify() == []
    assert acknowledged <= {record.id for record in opened.videos()}


@pytest.fixture
def filled(shelf):
    for number in range(9):
        shelf.put(f"{number}.mp4")
    return shelf


@pytest.mark.parametrize("kind", FAULTS)
def test_c14_a_few_faults_lose_nothing(disk, filled, kind):
    met = 0
    for at in (3, 10, 17):
        said, fired = failing(disk, filled.library, filled.folder, at, FAULTS[kind])
        met += fired
        check(filled.library, said)
    assert met
    assert write(filled.library, filled.folder).stdout.endswith("done\n")
    assert len(Library.open(filled.library.path).videos()) == 9


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("kind", FAULTS)
def test_c14_a_fault_at_every_call_loses_nothing(disk, filled, kind, tmp_path, keep_result):
    fresh, calls = tmp_path / "fresh", 0
    shutil.copytree(filled.library.path, fresh)
    for at in count(1):
        shutil.rmtree(filled.library.path)
        shutil.copytree(fresh, filled.library.path)
        said, fired = failing(disk, filled.library, filled.folder, at, FAULTS[kind])
        check(filled.library, said)
        if not fired:
            break
        calls = at
        again = write(filled.library, filled.folder)
        assert again.stdout.endswith("done\n"), (at, again.stderr)
        opened = Library.open(filled.library.path)
        assert opened.verify() == []
        assert len(opened.videos()) == 9
    assert calls >= 50
    keep_result(
        f"write-faults-{kind}",
        f"A disk that fails ({kind})",
        [{"calls that write": calls, "of them failed, one a run": calls, "lost": 0, "stuck": 0}],
        "Nine videos are indexed again and again, each time with the next call that writes, "
        "syncs, links or renames failing; the next run without a fault made all of it whole.",
    )
