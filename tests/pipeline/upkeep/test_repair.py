"""A damaged library is made whole: what is sound stays, what is damaged is encoded again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import moviola
from moviola.library import DamageWarning, Library
from moviola.pipeline.upkeep.repair import repair
from moviola.pipeline.upkeep.verify import verify
from moviola.testing import EchoEncoder

ECHO = "moviola.testing:EchoEncoder"
RED, GREEN, BLUE = (220, 20, 20), (20, 200, 20), (20, 20, 220)


@pytest.fixture
def library(tmp_path, colour_video) -> Path:
    videos = tmp_path / "videos"
    videos.mkdir()
    colour_video(videos / "red.mp4", RED, seconds=2)
    colour_video(videos / "green.mp4", GREEN, seconds=2)
    colour_video(videos / "mixed.mp4", RED, BLUE, seconds=4)
    moviola.index([videos], library=tmp_path / "lib", model=ECHO, segment="windows:2/1")
    return tmp_path / "lib"


def spoil_first_vector(library: Path, video: str) -> None:
    """Change two bytes of the first vector of the video whose file is called `video`."""
    opened = Library.open(library)
    (record,) = [r for r in opened.videos() if r.path.name == video]
    tables = opened._reader.tables
    tables.refresh()
    rows = [r for r in tables.read(tables.clips).to_pylist() if r["video"] == record.id]
    # The checksum stands in the file as it is, whatever encoding the vectors have.
    for file in (library / "clips.lance" / "data").iterdir():
        whole = bytearray(file.read_bytes())
        place = whole.find(rows[0]["checksum"])
        if place >= 0:
            whole[place] ^= 3
            whole[place + 3] ^= 1
            file.write_bytes(whole)
            return
    raise AssertionError("the row is nowhere")


def moments(library: Path) -> list:
    return moviola.search("blue", library=library, top=10)


def command(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "moviola", *map(str, words)],
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_only_the_damaged_video_is_encoded_again(library, monkeypatch):
    before = moments(library)
    spoil_first_vector(library, "mixed.mp4")
    (problem,) = verify(library).problems
    assert problem.path == library.parent / "videos" / "mixed.mp4"
    with pytest.warns(DamageWarning, match=r"mixed\.mp4.*moviola repair"):
        assert len(moments(library)) == 2
    encoded: list[int] = []
    encode = EchoEncoder.encode_videos
    monkeypatch.setattr(
        EchoEncoder,
        "encode_videos",
        lambda self, clips: encoded.append(len(clips)) or encode(self, clips),
    )
    found = repair(library)
    assert found.is_whole
    assert {p.path.name for p in found.mended} == {"mixed.mp4"}
    assert 0 < sum(encoded) <= 7
    assert moments(library) == before
    assert verify(library, deep=True).ok


def test_what_has_no_file_any_more_is_named_and_its_sound_clips_stay(library):
    spoil_first_vector(library, "mixed.mp4")
    (library.parent / "videos" / "mixed.mp4").unlink()
    found = repair(library)
    assert not found.is_whole
    assert [problem.path.name for problem in found.lost] == ["mixed.mp4"]
    kept = {record.path.name: record.clips for record in Library.open(library).videos()}
    assert kept == {"red.mp4": 1, "green.mp4": 1, "mixed.mp4": 6}
    assert verify(library, deep=True).ok
    assert repair(library).is_whole  # nothing is damaged now


def test_the_commands_say_what_they_find(library):
    assert command("verify", library).returncode == 0
    spoil_first_vector(library, "mixed.mp4")
    told = command("verify", library, "--json")
    assert told.returncode == 6
    found = json.loads(told.stdout)
    assert found["ok"] is False
    (video,) = found["videos"]
    assert Path(video["path"]).name == "mixed.mp4"
    assert "is damaged" in video["what"]
    assert found["derived"] == []
    searched = command("search", "blue", "--library", library, "--json")
    assert searched.returncode == 6
    assert "moviola repair" in searched.stderr
    assert len(json.loads(searched.stdout)) == 2
    assert command("index", "--library", library).returncode == 6
    assert command("forget", library.parent, "--library", library).returncode == 6
    mended = command("repair", library, "--json")
    assert (mended.returncode, json.loads(mended.stdout)["encoded"]) == (0, 1)
    assert command("verify", library, "--deep").returncode == 0


def test_a_lost_card_is_put_back(library):
    card = (library / "library.json").read_bytes()
    (library / "library.json").unlink()
    assert repair(library).is_whole
    assert (library / "library.json").read_bytes() == card


def test_a_library_that_is_not_there_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match="no library"):
        repair(tmp_path / "nowhere")
