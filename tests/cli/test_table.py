"""`moviola table`: what it prints where, and with which code it leaves."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest


def table(where, *more):
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "moviola", "table", "--videos", "videos",
         "--captions", "captions.csv", "--video-embeddings", "clips", "--text-embeddings", "texts",
         "--out", "table.csv", *more],
        cwd=where, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.fixture
def world(tmp_path):
    for folder in ("videos", "clips", "texts"):
        (tmp_path / folder).mkdir()
    (tmp_path / "videos" / "a.mp4").touch()
    (tmp_path / "captions.csv").write_text("video,caption\na,one\na,two\n")
    np.save(tmp_path / "clips" / "a.npy", np.ones(4, np.float32))
    for number in (1, 2):
        np.save(tmp_path / "texts" / f"a-{number}.npy", np.ones(4, np.float32))
    return tmp_path


def test_a_whole_table_leaves_with_0(world):
    done = table(world)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "2 of 2 captions in table.csv, 0 videos without captions, 0 things missing, 0 bad files\n"
    )
    assert (world / "table.csv").is_file()


def test_something_missing_leaves_with_3_and_is_listed(world):
    (world / "texts" / "a-2.npy").unlink()
    (world / "videos" / "b.mp4").touch()
    done = table(world)
    assert done.returncode == 3
    assert done.stderr.splitlines() == [
        "missing: text embedding a-2",
        "videos that no row needs: 1",
    ]
    told = table(world, "--json")
    assert told.returncode == 3
    assert json.loads(told.stdout) == {
        "rows": 1,
        "captions": 2,
        "uncaptioned": 0,
        "missing": [{"what": "text embedding", "name": "a-2"}],
        "bad": [],
        "unused": [{"what": "video", "name": "b"}],
    }


def test_bad_input_leaves_with_2_and_writes_nothing(world):
    (world / "captions.csv").write_text('video,caption\na,"one\n')
    done = table(world)
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("moviola: captions.csv, line 2: ")
    assert not (world / "table.csv").exists()


def test_columns_are_mapped_and_bad_files_listed(world):
    (world / "captions.csv").write_text("clip,words\na,one\na,two\n")
    for name in ("texts/a-2", "clips/b", "clips/c"):
        np.save(world / f"{name}.npy", np.full(4, np.nan, np.float32))
    done = table(world, "--columns", "video=clip, caption=words")
    assert done.returncode == 3
    assert [line.split()[:2] for line in done.stderr.splitlines()] == [
        ["bad:", "clips/b.npy"],
        ["bad:", "clips/c.npy"],
        ["bad:", "texts/a-2.npy"],
    ]
    wrong = table(world, "--columns", "video")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "--columns takes NAME=COLUMN" in wrong.stderr
