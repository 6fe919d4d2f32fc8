from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from moviola.cli.app import app


def _run(*words: object):
    return CliRunner().invoke(app, ["diagnose", *map(str, words)])


@pytest.fixture
def files(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    videos = rng.normal(size=(1000, 16)).astype(np.float32)
    np.save(tmp_path / "videos.npy", videos)
    np.save(tmp_path / "first.npy", np.ones((1000, 16), np.float16))
    np.save(tmp_path / "tokens.npy", np.stack([np.ones_like(videos), videos], axis=1))
    np.save(tmp_path / "index.npy", np.arange(1000)[::-1])
    np.save(tmp_path / "scores.npy", np.eye(1000, dtype=np.float32))
    return tmp_path


def test_a_constant_first_token_is_told_in_one_sentence(files: Path) -> None:
    done = _run("--texts", files / "first.npy", "--videos", files / "videos.npy")
    assert done.exit_code == 0
    first = done.stdout.splitlines()[0]
    assert first.startswith("error    Every caption of 1,000 has the same vector")
    assert "0.0075 is chance for 1,000" in first


def test_json_holds_findings_and_figures(files: Path) -> None:
    texts = "--texts", files / "tokens.npy"
    done = _run(*texts, "--videos", files / "videos.npy", "--pool", "first", "--json")
    value = json.loads(done.stdout)
    assert value["findings"][0]["code"] == "constant"
    assert value["figures"]["texts"]["constant"] is True
    sound = _run(*texts, "--videos", files / "videos.npy", "--pool", "last", "--json")
    assert json.loads(sound.stdout)["figures"]["t2v"]["measured"]["R@1"] == 100.0


def test_the_index_says_which_caption_belongs_to_which_video(files: Path) -> None:
    both = "--texts", files / "videos.npy", "--videos", files / "videos.npy"
    assert "R@1 100.0" in _run(*both).stdout
    turned = _run(*both, "--caption-video", files / "index.npy")
    assert "paired with the wrong videos" in turned.stdout


def test_a_matrix_is_diagnosed_as_well(files: Path) -> None:
    done = _run("--similarity", files / "scores.npy")
    assert done.exit_code == 0
    assert "t2v MRR is 1.0000 and R@1 100.0; chance for 1,000 videos is 0.0075" in done.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "give --texts and --videos"),
        (["--texts", "a.npy"], "give --texts and --videos"),
        (["--similarity", "s.npy", "--texts", "a.npy"], "either --similarity"),
    ],
)
def test_what_does_not_go_together_is_refused(words: list[str], told: str) -> None:
    done = _run(*words)
    assert done.exit_code == 2
    assert told in done.output


def test_an_oblong_matrix_needs_to_be_told_what_belongs_together(files: Path) -> None:
    np.save(files / "oblong.npy", np.ones((3, 2), np.float32))
    done = _run("--similarity", files / "oblong.npy")
    assert isinstance(done.exception, ValueError)
    assert "--caption-video" in str(done.exception)
