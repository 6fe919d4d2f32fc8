"""Scoring a head on videos that it was fitted on is said wherever the numbers are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from moviola.cli.app import app
from moviola.core import Clip, Embeddings, Readout, Space, Span, Text
from moviola.pipeline.align.leaks import leak_notes, remember_videos
from moviola.store import StoreWriter

COUNT = 60
SAID = "the head was fitted on"


def _run(*words: object) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, (done.output, done.exception)
    return done.stdout


def _pairs(folder: Path, first: int, count: int = COUNT) -> list[object]:
    """Write a store of texts and one of videos, called by number from `first`."""
    for side, dimension in (("texts", 6), ("clips", 8)):
        with StoreWriter(
            folder / side,
            kind=side,
            space=Space(side, "1", "w", dimension),
            readout=Readout("toy"),
            dtype="float32",
        ) as writer:
            for number in range(first, first + count):
                row = np.random.default_rng(number).normal(size=(1, dimension))
                name = f"video{number}"
                item = (
                    Text(f"{name}-1", "words")
                    if side == "texts"
                    else Clip(f"{name}@1.000-2.000", Path("no.mp4"), Span(1, 2))
                )
                if side == "texts":
                    item = Text(f"{name}@1.000-2.000-1", "words")
                writer.append(item, row.astype(np.float32))
    return ["--texts", folder / "texts", "--videos", folder / "clips"]


def _arrays(folder: Path, pairs: list[object]) -> list[object]:
    """Copy two stores to bare arrays, which have no names."""
    from moviola.store import open_embeddings

    for name, store in (("t", pairs[1]), ("v", pairs[3])):
        np.save(folder / f"{name}.npy", open_embeddings(Path(str(store))).vectors)
    return ["--texts", folder / "t.npy", "--videos", folder / "v.npy"]


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[object]]:
    root = tmp_path_factory.mktemp("leaks")
    pairs = _pairs(root / "train", 0)
    _run("align", "fit", *pairs, "--method", "ridge", "--out", root / "head")
    return root, pairs


def test_a_result_on_what_was_fitted_on_says_so_everywhere(fitted) -> None:
    root, pairs = fitted
    words = ["evaluate", *pairs, "--head", root / "head"]
    assert f"{SAID} 60 of these 60 videos" in _run(*words)
    assert SAID in json.loads(_run(*words, "--json"))["notes"][0]
    _run(*words, "--out", root / "report")
    for name in ("results.json", "report.html", "manifest.json"):
        assert SAID in (root / "report" / name).read_text(), name


def test_parts_and_copies_without_names_are_noticed(fitted, tmp_path) -> None:
    root, pairs = fitted
    part = _pairs(tmp_path / "part", 50)
    assert f"{SAID} 10 of these 60 videos" in _run("evaluate", *part, "--head", root / "head")
    bare = _arrays(tmp_path, pairs)
    assert f"{SAID} 60 of these 60 videos" in _run("evaluate", *bare, "--head", root / "head")


def test_other_videos_are_no_leak(fitted, tmp_path) -> None:
    root, _ = fitted
    others = _pairs(tmp_path / "test", 1000)
    assert SAID not in _run("evaluate", *others, "--head", root / "head")
    # Rows of bare arrays are called by number too, and mean nothing by it.
    bare = _arrays(tmp_path, others)
    _run("align", "fit", *bare, "--method", "ridge", "--out", tmp_path / "head")
    again = _arrays(tmp_path, _pairs(tmp_path / "more", 2000))
    assert SAID not in _run("evaluate", *again, "--head", tmp_path / "head")


def test_a_fit_that_is_tested_on_its_own_videos_warns(fitted, tmp_path) -> None:
    _, pairs = fitted
    test = ["--test-texts", pairs[1], "--test-videos", pairs[3]]
    words = ["align", "fit", *pairs, "--method", "ridge", "--out", tmp_path / "head"]
    told = json.loads(_run(*words, *test, "--json"))["warnings"]
    assert any(SAID in warning for warning in told)
    others = _pairs(tmp_path / "test", 1000)
    told = json.loads(
        _run(*words, "--test-texts", others[1], "--test-videos", others[3], "--json")
    )["warnings"]
    assert not any(SAID in warning for warning in told)


def test_a_head_that_remembers_nothing_accuses_nobody() -> None:
    clips = Embeddings.from_rows(
        [Clip("a", Path(), Span(0, 1))],
        [np.ones((1, 2), np.float32)],
        Space.anonymous(2),
        Readout(""),
    )
    seen = remember_videos(clips, np.array([0]), has_ids=True)
    assert leak_notes({"seen": seen}, clips, has_ids=True)
    for record in ({}, {"seen": None}, {"seen": {"ids": "?"}}, {"seen": {"rows": 3}}):
        assert leak_notes(record, clips, has_ids=True) == ()
