"""Sweeps of rows: quality against cost, in one table of at most 100 columns."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from moviola.analysis.row_sweep import sweep_rows
from moviola.cli.app import app
from moviola.core import Clip, Embeddings, Qrels, Readout, Space, Span, Text
from moviola.core.pooling import pool
from moviola.evaluate import evaluate
from moviola.score import maxsim
from moviola.store import StoreWriter

COUNT, WIDTH = 60, 16
SPACE = Space("m", "1", "w", WIDTH)


def planted():
    """Make captions of two rows, and clips of twelve rows that show four meanings, noisily."""
    random = np.random.default_rng(2)
    meanings = random.normal(size=(COUNT, 4, WIDTH))
    texts = meanings[:, :2] + 0.9 * random.normal(size=(COUNT, 2, WIDTH))
    clips = np.repeat(meanings, 3, axis=1)
    clips = clips + 0.9 * random.normal(size=clips.shape)
    return (
        Embeddings.from_rows(
            [Text(f"c{i}-1", "") for i in range(COUNT)],
            list(texts.astype(np.float32)),
            SPACE,
            Readout("t"),
        ),
        Embeddings.from_rows(
            [Clip(f"c{i}", None, Span(0, 1)) for i in range(COUNT)],
            list(clips.astype(np.float32)),
            SPACE,
            Readout("c"),
        ),
        Qrels({f"c{i}-1": frozenset([f"c{i}"]) for i in range(COUNT)}),
    )


@pytest.fixture(scope="module")
def sides():
    return planted()


@pytest.fixture(scope="module")
def sweep(sides):
    texts, clips, qrels = sides
    return sweep_rows(texts, [clips], qrels, counts=(1, 4, 12, 500), k=10, rescore=10)


def test_every_count_is_tried_with_every_code_and_stage(sweep):
    tried = [(cost.pooling, cost.code, cost.stages) for cost in sweep.costs]
    names = ["mean", "hierarchical-1", "hierarchical-4", "none"]
    assert tried == [
        (name, code, stages)
        for name in names
        for code in ("float32", "int8", "binary")
        for stages in (1, 2)
    ]


def test_quality_is_that_of_exact_maxsim_with_its_interval(sides, sweep):
    texts, clips, qrels = sides
    for name in ("none", "hierarchical-4"):
        wanted = evaluate(maxsim(texts, pool(clips, name)), qrels, measures=["R@1"]).t2v
        found = next(cost for cost in sweep.costs if cost.pooling == name)
        assert found.r1 == wanted["R@1"]
        assert (found.low, found.high) == wanted.intervals["R@1"]
    best = {cost.pooling: cost.r1 for cost in sweep.costs if cost.stages == 1}
    assert best["none"] > best["mean"] + 5


def test_bytes_are_those_that_are_gone_through(sweep):
    found = {(c.pooling, c.code, c.stages): c.bytes_a_clip for c in sweep.costs}
    assert found["none", "float32", 1] == 12 * WIDTH * 4
    assert found["none", "float32", 2] == 13 * WIDTH * 4
    assert found["hierarchical-4", "int8", 1] == 4 * (WIDTH + 4)
    assert found["hierarchical-4", "binary", 1] == 4 * (WIDTH / 8 + 4)
    assert found["hierarchical-4", "binary", 2] == 4 * (WIDTH / 8 + 4) + WIDTH + 4
    assert all(cost.ms_a_query > 0 for cost in sweep.costs)


def test_notes_say_what_numbers_rest_on(sides, sweep):
    assert any("mean vectors choose 10 clips" in note for note in sweep.notes)
    assert any(note.startswith("Least bytes within the interval") for note in sweep.notes)
    texts, clips, qrels = sides
    all_go_on = sweep_rows(texts, [clips], qrels, counts=(), k=100)
    assert any("let all clips go on: k = 100 of 60" in note for note in all_go_on.notes)


def test_what_was_pooled_before_is_taken_as_it_is(sides):
    texts, clips, qrels = sides
    pooled = pool(clips, "hierarchical-3")
    found = sweep_rows(texts, [pooled, pool(clips, "mean")], qrels, k=5)
    assert {cost.pooling for cost in found.costs} == {"hierarchical-3", "mean"}


@pytest.fixture(scope="module")
def stores(sides, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stores")
    for name, kind, embeddings in zip(("t", "c"), ("texts", "clips"), sides[:2], strict=True):
        items = embeddings.items
        if kind == "clips":
            items = [Clip(clip.id, folder, clip.span) for clip in items]
        with StoreWriter(
            folder / name, kind=kind, space=SPACE, readout=embeddings.readout, dtype="float32"
        ) as writer:
            for place, item in enumerate(items):
                writer.append(item, embeddings.rows(place))
    return folder


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_the_table_fits_a_hundred_columns_and_json_has_it_all(stores):
    words = ("sweep-rows", stores / "c", "--texts", stores / "t", "--rows", "2,4", "--k", "9")
    found = run(*words)
    assert found.exit_code == 0, found.output
    table = [line for line in found.stdout.splitlines() if line.startswith(("pooling", "hier"))]
    assert len(table) == 1 + 2 * 6
    assert max(map(len, table)) <= 100
    made = json.loads(run(*words, "--json").stdout)
    assert len(made["costs"]) == 24
    assert made["k"] == 9


def test_what_cannot_be_swept_is_refused_in_one_sentence(stores, tmp_path):
    with StoreWriter(tmp_path / "other", kind="clips", space=SPACE, readout=Readout("c")) as writer:
        writer.append(Clip("x", tmp_path, Span(0, 1)), np.ones((2, WIDTH), np.float32))
    narrow = Space("m", "1", "w", 4)
    with StoreWriter(tmp_path / "narrow", kind="texts", space=narrow, readout=Readout("t")) as w:
        w.append(Text("c1-1", ""), np.ones((1, 4), np.float32))
    texts = ("--texts", stores / "t")
    for words, why in {
        (stores / "c", *texts, "--rows", "0"): "numbers of at least 1",
        (stores / "c", *texts, "--rows", "five"): "numbers of at least 1",
        (stores / "c", tmp_path / "other", *texts): "holds other videos",
        (tmp_path / "none", *texts): "there is no",
        (stores / "c", "--texts", tmp_path / "narrow"): "lives in another space",
        (stores / "t", *texts): "holds texts, not clips",
    }.items():
        found = run("sweep-rows", *words)
        assert found.exit_code != 0
        assert why in str(found.exception), found.exception
    assert run("sweep-rows", stores / "c", *texts, "--k", "0").exit_code == 2
