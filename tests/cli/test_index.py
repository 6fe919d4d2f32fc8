"""`moviola index`: what it says of a narrow model, and what a full disk leaves behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

import moviola as package

ECHO = "moviola.testing:EchoEncoder"
RED, GREEN, BLUE = (220, 20, 20), (20, 200, 20), (20, 20, 220)


def moviola(*words: object, file_blocks: int | None = None):
    """Run the command, with no file growing beyond so many blocks of 1,024 bytes."""
    command = [sys.executable, "-W", "error", "-m", "moviola", *map(str, words)]
    if file_blocks is not None:
        command = ["bash", "-c", f'ulimit -f {file_blocks}; exec "$@"', "bash", *command]
    return subprocess.run(
        command, env=os.environ, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_library_of_shapes_says_what_it_knows(tmp_path, colour_video):
    library, video = tmp_path / "library", tmp_path / "red.mp4"
    colour_video(video, RED, seconds=2)
    made = moviola("index", video, "--library", library, "--model", "shapes", "--json")
    found = moviola("search", "a red circle", "--library", library, "--json")
    for done in (made, found):
        assert done.returncode == 0, done.stderr
        assert "knows only its generated world" in done.stderr
        assert "generated" not in json.dumps(json.loads(done.stdout))


def test_a_model_of_more_says_nothing(tmp_path, colour_video):
    library, video = tmp_path / "library", tmp_path / "red.mp4"
    colour_video(video, RED, seconds=2)
    made = moviola("index", video, "--library", library, "--model", ECHO)
    found = moviola("search", "red", "--library", library)
    assert (made.stderr, found.stderr) == ("", "")


def test_it_says_where_the_time_went_where_something_was_decoded(tmp_path, colour_video):
    library, video = tmp_path / "library", tmp_path / "red.mp4"
    colour_video(video, RED, seconds=2)
    command = ("index", video, "--library", library, "--model", ECHO)
    found = json.loads(moviola(*command, "--json").stdout)["seconds"]
    assert set(found) == {"decode", "wait", "model", "write", "decoders", "bound"}
    assert found["decode"] > 0
    assert found["bound"] in ("decoding", "the model", "writing")
    again = moviola(*command)
    assert "bound by" not in again.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="limits of files are of POSIX")
@pytest.mark.parametrize("blocks", [0, 8])
def test_files_that_may_not_grow_leave_with_8_and_lose_nothing(tmp_path, colour_video, blocks):
    library, videos = tmp_path / "library", tmp_path / "videos"
    videos.mkdir()
    colour_video(videos / "red.mp4", RED, GREEN, seconds=6)
    package.index(videos, library=library, model=ECHO, workers=1)
    (before,) = package.open_library(library).videos()
    colour_video(videos / "blue.mp4", BLUE, RED, seconds=6)
    done = moviola("index", videos, "--library", library, file_blocks=blocks)
    (line,) = done.stderr.splitlines()[-1:]
    assert done.returncode == 8, (blocks, done.stderr)
    assert line.startswith("moviola: ")
    opened = package.open_library(library)
    assert before in opened.videos()
    assert opened.verify() == []
    again = moviola("index", videos, "--library", library)
    assert again.returncode == 0, again.stderr
    assert len(package.open_library(library).videos()) == 2
