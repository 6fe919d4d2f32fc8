"""`moviola plan`, `work`, `commit` and `status RUN`: exit codes and what they print."""

from __future__ import annotations

import json
import os
import subprocess
import sys

RED, GREEN = (220, 20, 20), (20, 200, 20)


def moviola(*words: object):
    """Run the command."""
    command = [sys.executable, "-W", "error", "-m", "moviola", *map(str, words)]
    return subprocess.run(
        command, env=os.environ, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_run_from_plan_to_library(tmp_path, colour_video):
    videos, run, library = tmp_path / "videos", tmp_path / "run", tmp_path / "library"
    videos.mkdir()
    colour_video(videos / "red.mp4", RED, seconds=2)
    colour_video(videos / "green.mp4", GREEN, seconds=2)
    (videos / "text.mp4").write_text("no video")
    words = ("--model", "none", "--shards", 2, "--json")
    planned = moviola("plan", videos, "--out", run, *words)
    assert json.loads(planned.stdout) == {"videos": 3, "shards": 2, "unreadable": 0}, planned.stderr
    assert moviola("work", run, "--shard", 0).returncode == 0
    early = json.loads(moviola("status", run, "--json").stdout)
    assert (early["shards_done"], early["shards"], early["running"]) == (1, 2, 0)
    assert moviola("work", run, "--claim").returncode == 0
    done = moviola("commit", run, "--library", library, "--json")
    assert done.returncode == 3
    counts = {"ok": 2, "partial": 0, "failed": 1, "waiting": 0, "damaged": 0}
    assert json.loads(done.stdout) == counts
    assert "text.mp4: unsupported_container" in done.stderr


def test_mistakes_are_told_in_one_line(tmp_path):
    for words in (
        ("plan", tmp_path / "nothing", "--out", tmp_path / "run"),
        ("status", tmp_path / "run"),
        ("work", tmp_path / "run"),
        ("commit", tmp_path / "run"),
        ("work", tmp_path / "run", "--shard", 1, "--processes", 2),
    ):
        done = moviola(*words)
        assert done.returncode == 2, words
        assert done.stderr.count("\n") == 1, done.stderr
