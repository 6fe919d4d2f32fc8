"""Writers killed at any moment: nothing acknowledged is lost, nothing doubled, nothing half."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from moviola.library import Library

PROGRAM = Path(__file__).with_name("writing_process.py")


def start(mode: str, library: Library, folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, str(PROGRAM), mode, str(library.path), str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def rows(library: Library) -> dict[str, tuple]:
    """Visible clips by id; fails when one is doubled."""
    fresh = Library.open(library.path)
    tables = fresh._reader.tables
    tables.refresh()
    clips = tables.read(tables.clips, ["id", "video", "checksum"]).to_pylist()
    shown = {record.id for record in fresh.videos()}
    found = [(row["id"], (row["video"], row["checksum"])) for row in clips if row["video"] in shown]
    assert len({clip for clip, _ in found}) == len(found)
    return dict(found)


def killed_run(library: Library, folder: Path, rng: random.Random) -> tuple[set[str], bool]:
    """Index, and kill after a random number of commits; what was acknowledged, and if it ended."""
    process = start("index", library, folder)
    lines: list[str] = []
    wanted = rng.randrange(0, 10)
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        if len(lines) > wanted:
            break
    time.sleep(rng.uniform(0, 0.03))
    process.send_signal(signal.SIGKILL)
    lines += process.stdout.readlines()
    process.stdout.close()
    process.wait()
    acknowledged = {
        video for line in lines if line.startswith("committed") for video in line.split()[1:]
    }
    return acknowledged, "done\n" in lines


def check_kills(shelf, tmp_path, kills: int, videos: int) -> None:
    for number in range(videos):
        shelf.put(f"{number:03d}.mp4")
    rng = random.Random(20)  # noqa: S311 (no secret)
    acknowledged: set[str] = set()
    for _ in range(kills):
        new, _ = killed_run(shelf.library, shelf.folder, rng)
        acknowledged |= new
        reader = Library.open(shelf.library.path)
        assert reader.verify() == []  # among others: as many clips as every record promises
        assert acknowledged <= {record.id for record in reader.videos()}
        rows(shelf.library)
    assert acknowledged
    process = start("index", shelf.library, shelf.folder)
    output, _ = process.communicate(timeout=120)
    assert output.endswith("done\n")
    reference = Library.create(tmp_path / "reference", shelf.library.card)
    process = start("index", reference, shelf.folder)
    process.communicate(timeout=120)
    assert rows(shelf.library) == rows(reference)
    assert len(shelf.library.videos()) == videos
    with shelf.library.writer():
        pass  # drops what was left without a marker
    assert shelf.library._reader.tables.clips.count_rows() == len(rows(reference))


def test_four_kills_lose_double_and_halve_nothing(shelf, tmp_path):
    check_kills(shelf, tmp_path, kills=4, videos=60)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_twenty_kills_lose_double_and_halve_nothing(shelf, tmp_path):
    check_kills(shelf, tmp_path, kills=20, videos=240)


def test_a_reader_sees_whole_videos_while_another_process_writes(shelf):
    for number in range(90):
        shelf.put(f"{number:03d}.mp4")
    process = start("index", shelf.library, shelf.folder)
    reader = Library.open(shelf.library.path)
    seen: list[int] = []
    try:
        while process.poll() is None:
            reader.refresh()
            assert reader.verify() == []
            seen.append(len(reader.videos()))
            assert len(reader.snapshot().records) >= seen[-1]
    finally:
        process.kill()
        process.communicate()
    reader.refresh()
    assert seen == sorted(seen)
    assert len(reader.videos()) == 90
