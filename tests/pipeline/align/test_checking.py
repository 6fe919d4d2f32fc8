from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from moviola.cli.app import app
from moviola.pipeline.align.checking import check_files

VIDEOS, CAPTIONS = 50, 3
SPLITS = ("train", "validation")


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    rng = np.random.default_rng(0)
    arrays = {
        "texts": rng.normal(size=(VIDEOS * CAPTIONS, 6)).astype(np.float32),
        "videos": rng.normal(size=(VIDEOS, 8)).astype(np.float32),
        "index": np.repeat(np.arange(VIDEOS), CAPTIONS),
    }
    for name, array in arrays.items():
        np.save(tmp_path / f"{name}.npy", array)
    return {name: str(tmp_path / f"{name}.npy") for name in arrays}


def _check(files: dict[str, str], *more: str):
    words = ["align", "check", "--texts", files["texts"], "--videos", files["videos"]]
    return CliRunner().invoke(app, [*words, "--caption-video", files["index"], *more])


def test_a_sound_pair_of_files_is_described_and_its_table_written(files, tmp_path) -> None:
    out = tmp_path / "tables" / "pairs.csv"
    done = _check(files, "--pairs", "3+3", "--batch", "16", "--out", str(out))
    assert done.exit_code == 0, done.output
    assert "nothing is wrong" in done.output
    assert "texts (16, 1, 6), videos (16, 1, 8)" in done.output
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == VIDEOS * 6
    videos = {
        split: {r["video"] for r in rows if r["split"] == split}
        for split in ("train", "validation")
    }
    assert not videos["train"] & videos["validation"]
    assert len(videos["validation"]) == 5


def test_a_constant_side_ends_with_2_and_says_so(files) -> None:
    np.save(files["texts"], np.ones((VIDEOS * CAPTIONS, 6), np.float32))
    done = _check(files, "--json")
    assert done.exit_code == 2
    found = json.loads(done.stdout)
    assert not found["sound"]
    assert "all texts have one and the same vector" in found["findings"][0]["sentence"]


def test_equal_seeds_give_equal_tables(files, tmp_path) -> None:
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert _check(files, "--seed", seed, "--out", str(tmp_path / name)).exit_code == 0
    first, again, other = ((tmp_path / name).read_text() for name in "abc")
    assert first == again != other


@pytest.mark.parametrize("pairs", ["20", "a+b", "1+", "-1+1"])
def test_pairs_that_are_no_two_numbers_are_refused(files, pairs) -> None:
    done = _check(files, "--pairs", pairs)
    assert done.exit_code == 2
    assert "20+20" in done.output


def test_too_few_videos_are_refused(files, tmp_path) -> None:
    np.save(files["videos"], np.ones((8, 8), np.float32))
    np.save(files["texts"], np.ones((8, 6), np.float32))
    with pytest.raises(ValueError, match="8 videos with captions are too few"):
        check_files(files["texts"], files["videos"])


@pytest.mark.shared
def test_real_pairs_hold_copies_and_are_told(shared_data) -> None:
    folder = shared_data / "frozen_pairs"
    found = check_files(
        str(folder / "caption_embeddings.npy"),
        str(folder / "video_embeddings.npy"),
        caption_video=str(folder / "caption_video_index.npy"),
    )
    assert found.is_sound
    assert found.splits["train"].text_shape == (32, 1, 384)
    assert found.splits["train"].video_shape == (32, 1, 768)
    assert found.splits["train"].videos + found.splits["validation"].videos == 2516
