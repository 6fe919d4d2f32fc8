"""Cases of the plan that no other test of indexing holds, named by their ids."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from moviola.core import StorageError
from moviola.library.storage.tables import faults

posix = pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
INDEX = """
import resource, sys
if sys.argv[1] != "0":
    resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[1])))
from moviola.cli import main
sys.argv[1:] = ["index", "videos", "--library", "lib", "--model", "moviola.testing:EchoEncoder"]
main()
"""


def indexed(folder, *, files: int = 0, **environment: str):
    return subprocess.run(
        [sys.executable, "-c", INDEX, str(files)],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@posix
def test_f26_without_a_folder_for_temporary_files_the_disk_is_blamed(tmp_path, colour_video):
    (tmp_path / "videos").mkdir()
    colour_video(tmp_path / "videos" / "red.mp4", (220, 20, 20), seconds=1)
    (tmp_path / "full").touch()
    place = str(tmp_path / "full" / "tmp")
    done = indexed(tmp_path, TMPDIR=place, TEMP=place, TMP=place)
    assert done.returncode == 8, done.stderr
    assert "TMPDIR" in done.stderr
    assert "damaged" not in done.stderr
    assert indexed(tmp_path).returncode == 0


@posix
def test_c25_256_open_files_are_enough(tmp_path, colour_video):
    (tmp_path / "videos").mkdir()
    for number in range(24):
        shade = (10 * number, 20, 20)
        colour_video(tmp_path / "videos" / f"{number}.mp4", shade, seconds=0.4)
    done = indexed(tmp_path, files=256)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("lance error: Failed to create temp dir: LanceError(IO): Not a directory", "TMPDIR"),
        ("lance error: IO: Too many open files (os error 24)", "ulimit -n"),
        ("lance error: IO: No space left on device (os error 28)", "free some space"),
    ],
)
def test_c25_what_the_system_refuses_is_no_damage(tmp_path, fault, words):
    with pytest.raises(StorageError, match=words), faults(tmp_path):
        raise RuntimeError(fault)
