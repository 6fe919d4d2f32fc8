"""Every code block of the docs runs, in order, in an empty folder."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from moviola.core.videos import VIDEO_SUFFIXES

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```(python|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# file: (\S+)\n")
#: Programs and packages that a page needs and not everybody has.
NEEDS = {"add-a-channel.md": ("espeak-ng", "pocketsphinx")}


def _run(command: list[str], where: Path) -> str:
    paths = [str(Path(sys.executable).parent), os.environ["PATH"]]
    done = subprocess.run(
        command,
        cwd=where,
        env={**os.environ, "PATH": os.pathsep.join(paths), "PYTHONPATH": str(where)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _colour_video(path: Path, colour: tuple[int, int, int]) -> None:
    pixels = np.empty((48, 64, 3), np.uint8)
    pixels[:] = colour
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(30):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels)))
        container.mux(stream.encode())


@pytest.mark.parametrize("page", sorted(p.name for p in (ROOT / "docs").glob("*.md")))
def test_every_block_of_a_page_runs(page: str, tmp_path: Path) -> None:
    for need in NEEDS.get(page, ()):
        if shutil.which(need) is None and importlib.util.find_spec(need) is None:
            pytest.skip(f"{need} is not installed")
    (tmp_path / "videos").mkdir()
    _colour_video(tmp_path / "videos" / "red.mp4", (220, 20, 20))
    _colour_video(tmp_path / "videos" / "blue.mp4", (20, 20, 220))
    # Python blocks of a page share their names, so each runs together with those before it.
    script = ""
    for language, body in BLOCK.findall((ROOT / "docs" / page).read_text()):
        if named := FILE.match(body):
            (tmp_path / named[1]).write_text(body)
        elif language == "python":
            script += body
            _run([sys.executable, "-W", "error", "-c", script], tmp_path)
        else:
            for line in body.splitlines():
                if line.startswith("$ "):
                    out = _run(["bash", "-c", line[2:]], tmp_path)
                    if 'search "red"' in line:
                        assert "red.mp4" in out
                    if 'search "sphinx:president"' in line:
                        assert "speech.mp4" in out


def test_the_readme_publishes_the_suffixes_that_are_inputs() -> None:
    readme = (ROOT / "README.md").read_text()
    published = re.findall(r"`(\.[a-z0-9]+)`", readme.split("these suffixes are inputs:")[1])
    assert set(published) == VIDEO_SUFFIXES


def test_the_report_is_repeated_by_a_short_script() -> None:
    page = (ROOT / "docs" / "repeat-the-report.md").read_text()
    (script,) = (body for _, body in BLOCK.findall(page) if body.startswith("# file: repeat.py"))
    assert len(script.splitlines()) <= 30
