"""`moviola align`: its JSON, its exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest


def run(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "moviola", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def common_pairs(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two captions a video; both sides see eight numbers through maps of their own, and noise."""
    rng = np.random.default_rng(0)
    meaning, owners = rng.normal(size=(count, 8)), np.repeat(np.arange(count), 2)
    texts = meaning[owners] @ rng.normal(size=(8, 24)) + rng.normal(size=(2 * count, 24))
    videos = meaning @ rng.normal(size=(8, 32)) + rng.normal(size=(count, 32))
    return texts.astype(np.float32), videos.astype(np.float32), owners


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pairs")
    texts, videos, owners = common_pairs(250)
    for name, array in {
        "t": texts[:400],
        "v": videos[:200],
        "o": owners[:400],
        "tt": texts[400::2],
        "tv": videos[200:],
        "constant": np.ones_like(videos[:200]),
        "wide": np.ones((50, 99), np.float32),
        "scaled": 100 * texts[400::2],
    }.items():
        np.save(folder / f"{name}.npy", array)
    done = fit(folder, folder / "head", "--json")
    assert done.returncode == 0, done.stderr
    (folder / "fit.json").write_text(done.stdout)
    return folder


def fit(files: Path, out: Path, *words: object, videos: str = "v") -> subprocess.CompletedProcess:
    given = ("--texts", files / "t.npy", "--videos", files / f"{videos}.npy")
    return run(
        *("align", "fit", *given, "--caption-video", files / "o.npy", "--method", "cca"),
        *("--out", out, *words),
    )


def evaluate(files: Path, texts: str, videos: str = "tv") -> subprocess.CompletedProcess[str]:
    return run(
        *("evaluate", "--texts", files / f"{texts}.npy", "--videos", files / f"{videos}.npy"),
        *("--head", files / "head", "--json"),
    )


def test_fit_prints_what_it_promises(files: Path) -> None:
    told = json.loads((files / "fit.json").read_text())
    assert set(told) == {
        "method",
        "val",
        "chance_MRR",
        "seconds",
        "space",
        "protocol",
        "warnings",
    }
    assert set(told["val"]) == {"R@1", "MRR"}
    assert told["method"] == "cca"
    assert told["val"]["MRR"] > 2 * told["chance_MRR"]
    assert told["warnings"] == []
    assert {"head.safetensors", "head.json"} <= {path.name for path in (files / "head").iterdir()}


def test_evaluate_takes_a_head(files: Path) -> None:
    done = evaluate(files, "tt")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["t2v"]["MRR"] > 0.5


def test_a_constant_side_exits_2(files: Path, tmp_path: Path) -> None:
    done = fit(files, tmp_path / "head", videos="constant")
    assert done.returncode == 2
    assert "have the same vector" in done.stderr
    assert not (tmp_path / "head").exists()


@pytest.mark.parametrize(("texts", "videos"), [("tt", "wide"), ("scaled", "tv")])
def test_what_the_head_was_not_fitted_on_exits_4(files: Path, texts: str, videos: str) -> None:
    done = evaluate(files, texts, videos)
    assert done.returncode == 4, done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_apply_writes_a_store(files: Path, tmp_path: Path) -> None:
    done = run(
        *("align", "apply", files / "head", "--videos", files / "tv.npy"),
        *("--out", tmp_path / "store", "--json"),
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["items"] == 50
    assert (tmp_path / "store" / "card.json").is_file()
    assert run("align", "apply", files / "head", "--out", tmp_path / "x").returncode == 2


def test_a_place_that_is_taken_is_refused_before_anything_is_fitted(
    files: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    done = fit(files, tmp_path)
    assert done.returncode == 2
    assert "no earlier head" in done.stderr


def test_sweep_prints_a_table(files: Path, tmp_path: Path) -> None:
    done = run(
        *("align", "sweep", "--texts", files / "t.npy", "--videos", files / "v.npy"),
        *("--caption-video", files / "o.npy", "--width", "4,16", "--out", tmp_path / "s.html"),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].split() == (
        ["width", "R@1", "95", "%", "interval", "MRR", "95", "%", "interval"]
    )
    assert (tmp_path / "s.html").is_file()
