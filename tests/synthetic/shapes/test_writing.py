from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise

import av
import numpy as np
import pytest

from moviola.datasets import msrvtt
from moviola.synthetic.shapes import Claim, generate
from moviola.synthetic.shapes.facts import is_true
from moviola.synthetic.shapes.writing import moments_of, video_frames


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    root = tmp_path_factory.mktemp("world")
    return root, generate(root, seed=7, videos={"train": 1, "test": 2})


def test_the_same_seed_writes_the_same_bytes(world, tmp_path):
    root, _ = world
    generate(tmp_path, seed=7, videos={"train": 1, "test": 2})
    files = sorted(p.relative_to(root) for p in root.rglob("*") if p.is_file())
    assert len(files) == 6
    for file in files:
        assert (root / file).read_bytes() == (tmp_path / file).read_bytes(), file


def test_files_are_h264_with_sound_and_show_what_was_drawn(world):
    root, videos = world
    for video in videos:
        with av.open(str(root / "videos" / f"{video.id}.mp4")) as file:
            assert file.streams.video[0].codec_context.name == "h264"
            assert len(file.streams.audio) == 1
            shown = [(f.time, f.to_ndarray(format="rgb24")) for f in file.decode(video=0)]
        times = np.array([time for time, _ in shown])
        drawn = np.stack(list(video_frames(video.takes)))
        assert len(shown) == len(drawn) == round(video.seconds * 12)
        assert np.allclose(times, np.arange(len(times)) / 12, atol=1e-3)
        gap = np.abs(np.stack([pixels for _, pixels in shown]).astype(int) - drawn)
        assert gap.mean() < 4


def test_the_ordinary_loader_reads_it(world):
    root, videos = world
    dataset = msrvtt.load(root, "test")
    assert [clip.id for clip in dataset.clips] == [v.id for v in videos if v.split == "test"]
    assert len(dataset.texts) == 40
    moments = msrvtt.load(root, "test-moments")
    assert all(moments.moments[text.id] for text in moments.texts)


def test_facts_and_moments_fit_together(world):
    root, videos = world
    lines = (root / "facts.jsonl").read_text().splitlines()
    facts = {fact["video_id"]: fact for fact in map(json.loads, lines)}
    assert set(facts) == {video.id for video in videos}
    for video in videos:
        shots = facts[video.id]["shots"]
        assert shots[0]["start"] == 0
        assert all(a["end"] == b["start"] for a, b in pairwise(shots))
        assert shots[-1]["end"] == pytest.approx(facts[video.id]["duration"])
        for moment in moments_of(video):
            claim = Claim.from_json(moment["asserted"])
            spans = [
                [shot["start"], shot["end"]]
                for shot, take in zip(shots, video.takes, strict=True)
                if is_true(claim, [take.shot])
            ]
            assert spans == moment["relevant_windows"]


def test_what_is_there_is_kept(world):
    root, _ = world
    path = next((root / "videos").iterdir())
    before = path.stat().st_mtime_ns
    generate(root, seed=7, videos={"train": 1, "test": 2})
    assert path.stat().st_mtime_ns == before


def test_unknown_levels_and_splits_are_refused(tmp_path):
    with pytest.raises(ValueError, match="impossible"):
        generate(tmp_path, seed=1, videos={"test": 1}, level="impossible")
    with pytest.raises(ValueError, match="exam"):
        generate(tmp_path, seed=1, videos={"exam": 1})


def test_the_hard_level_renders(tmp_path):
    (video,) = generate(tmp_path, seed=2, videos={"test": 1}, level="hard")
    assert (tmp_path / "videos" / f"{video.id}.mp4").stat().st_size > 1000


def test_the_generator_needs_no_torch():
    code = "import sys, moviola.synthetic.shapes; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
