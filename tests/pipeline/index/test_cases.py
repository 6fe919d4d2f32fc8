"""Cases of the plan that no other test of indexing holds, named by their ids."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

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
def test_c25_256_open_files_are_enough(tmp_path, colour_video):
    (tmp_path / "videos").mkdir()
    for number in range(24):
        shade = (10 * number, 20, 20)
        colour_video(tmp_path / "videos" / f"{number}.mp4", shade, seconds=0.4)
    done = indexed(tmp_path, files=256)
    assert done.returncode == 0, done.stderr
