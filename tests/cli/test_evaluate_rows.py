"""`moviola evaluate --scorer`: rows of items scored at once, in stages and by codes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from moviola.cli.app import app
from moviola.core import Clip, Embeddings, Qrels, Readout, Space, Span, Text
from moviola.evaluate import evaluate
from moviola.score import maxsim
from moviola.store import StoreWriter

SPACE = Space("m", "1", "w", 16)
COUNT = 60


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """Write captions and clips of several rows, of one meaning with noise."""
    folder = tmp_path_factory.mktemp("rows")
    random = np.random.default_rng(3)
    sides = {}
    meanings = random.normal(size=(COUNT, 3, 16))
    for kind, noise in (("texts", 1.2), ("clips", 1.2)):
        items = [
            Text(f"t{i}", "", clip=f"c{i}")
            if kind == "texts"
            else Clip(f"c{i}", folder, Span(0, 1))
            for i in range(COUNT)
        ]
        repeated = np.repeat(meanings, 3 if kind == "clips" else 1, axis=1)
        rows = (repeated + noise * random.normal(size=repeated.shape)).astype(np.float32)
        sides[kind] = Embeddings.from_rows(items, list(rows), SPACE, Readout(kind))
        with StoreWriter(
            folder / kind, kind=kind, space=SPACE, readout=Readout(kind), dtype="float32"
        ) as writer:
            writer.extend(sides[kind])
    return folder, sides


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def numbers(folder, *words):
    found = run(
        "evaluate", "--texts", folder / "texts", "--videos", folder / "clips", *words, "--json"
    )
    assert found.exit_code == 0, found.output
    return json.loads(found.stdout)


def test_maxsim_is_exact_both_ways(stores):
    folder, sides = stores
    qrels = Qrels({f"t{i}": frozenset([f"c{i}"]) for i in range(COUNT)})
    wanted = evaluate(maxsim(*sides.values()), qrels).to_json()
    found = numbers(folder, "--scorer", "maxsim")
    assert found["t2v"] == wanted["t2v"]
    assert found["v2t"] == wanted["v2t"]
    assert numbers(folder, "--scorer", "two-stage,k=60")["t2v"] == wanted["t2v"]
    assert numbers(folder, "--pool", "hierarchical-9")["t2v"] == wanted["t2v"]
    coded = numbers(folder, "--scorer", "maxsim,codes=int8,rescore=60")
    assert coded["v2t"] == wanted["v2t"]


def test_stages_and_codes_lose_little_and_say_what_they_are(stores):
    folder, _ = stores
    exact = numbers(folder, "--scorer", "maxsim")["t2v"]["R@1"]
    assert 20 < exact < 99
    for scorer in ("two-stage,k=20", "maxsim,codes=binary,rescore=20", "two-stage,codes=int8"):
        found = numbers(folder, "--scorer", scorer)
        assert abs(found["t2v"]["R@1"] - exact) <= 5
        assert any("in stages" in note for note in found["notes"])


def test_rows_are_pooled_to_a_few_before_they_are_scored(stores):
    folder, _ = stores
    few = numbers(folder, "--scorer", "maxsim", "--pool", "hierarchical-3")
    assert abs(few["t2v"]["R@1"] - numbers(folder, "--scorer", "maxsim")["t2v"]["R@1"]) <= 25


def test_a_report_of_stages_has_its_scores(stores, tmp_path):
    folder, _ = stores
    found = numbers(folder, "--scorer", "two-stage,k=5", "--out", tmp_path / "report")
    assert found["t2v"] == numbers(folder, "--scorer", "two-stage,k=5")["t2v"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--scorer", "two-stage,k=0"], "k is a number of items of at least 1"),
        (["--scorer", "maxsim,codes=int4"], "codes are int8 or binary"),
        (["--scorer", "two-stage,k=3", "--correct", "dual-softmax"], "leave --correct out"),
        (["--pool", "hierarchical-0"], "keep at least one"),
        (["--pool", "attention-3"], "rows alone tell no attention"),
        (["--pool", "ward-3"], "no pooling is called 'ward-3'"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(stores, words, why):
    folder, _ = stores
    found = run("evaluate", "--texts", folder / "texts", "--videos", folder / "clips", *words)
    assert found.exit_code != 0
    assert why in str(found.exception)


def test_a_correction_goes_with_exact_maxsim(stores):
    folder, _ = stores
    found = numbers(folder, "--scorer", "maxsim", "--correct", "dual-softmax")
    assert found["corrected"]["dual-softmax"]
