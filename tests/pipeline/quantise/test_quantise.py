"""`moviola quantise`: codes beside rows, and what they lose."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from moviola.cli.app import app
from moviola.core import Clip, Embeddings, Qrels, Readout, Space, Span, Text
from moviola.evaluate import evaluate
from moviola.pipeline.inputs.pairing import Pairs
from moviola.pipeline.quantise.loss import measure_loss, measure_neighbours
from moviola.pipeline.quantise.quantise import quantise_store
from moviola.score import cosine, encode_embeddings
from moviola.store import StoreWriter, open_clips, open_texts

SPACE = Space("m", "1", "w", 32)


def write(folder, kind, rows, space=SPACE):
    with StoreWriter(
        folder, kind=kind, space=space, readout=Readout(kind), dtype="float32"
    ) as writer:
        for i, own in enumerate(rows):
            item = Text(f"c{i}-1", "") if kind == "texts" else Clip(f"c{i}", folder, Span(0, 1))
            writer.append(item, own.astype(np.float32))
    return folder


def planted(count, rows, noise):
    random = np.random.default_rng(5)
    meanings = random.normal(size=(count, rows, 32))
    return [meanings + noise * random.normal(size=meanings.shape) for _ in range(2)]


@pytest.fixture(params=[1, 4])
def stores(request, tmp_path):
    """Write captions and clips, of one row or of several."""
    texts, clips = planted(150, request.param, 1.3)
    return write(tmp_path / "texts", "texts", texts), write(tmp_path / "clips", "clips", clips)


def test_the_loss_is_told_by_codes_alone_and_with_rescoring(stores, tmp_path):
    texts, clips = stores
    report = quantise_store(clips, to="binary", out=tmp_path / "out", texts=str(texts))
    assert report.items == 150
    assert report.code_bytes < report.float_bytes / 3
    table = {(loss.measure, loss.rescored): loss for loss in report.losses}
    assert list(table) == [(f"R@{k}", r) for r in (0, 100) for k in (1, 5, 10)]
    alone, rescored = table["R@1", 0], table["R@1", 100]
    assert alone.exact == rescored.exact
    assert alone.coded < alone.exact - 2
    assert alone.low <= alone.difference <= alone.high < 0
    assert abs(rescored.difference) <= 1.5
    int8 = quantise_store(clips, to="int8", out=tmp_path / "int8", texts=str(texts))
    assert all(abs(loss.difference) <= 2 for loss in int8.losses)


def test_one_row_an_item_is_measured_by_the_cosine(tmp_path):
    texts, clips = planted(80, 1, 1.3)
    sides = (
        open_texts(write(tmp_path / "t", "texts", texts)),
        open_clips(write(tmp_path / "c", "clips", clips)),
    )
    qrels = Qrels({f"c{i}-1": frozenset([f"c{i}"]) for i in range(80)})
    losses = measure_loss(Pairs(*sides, qrels), encode_embeddings(sides[1], "int8"))
    assert losses[0].exact == evaluate(cosine(*sides), qrels).t2v["R@1"]


def test_without_captions_the_loss_is_told_in_neighbours(stores, tmp_path):
    _, clips = stores
    report = quantise_store(clips, to="int8", out=tmp_path / "out")
    alone, rescored = report.losses
    assert alone.measure == "neighbours@10"
    assert 90 <= alone.coded <= 100
    assert rescored.coded >= alone.coded
    assert alone.low <= alone.difference <= alone.high <= 0


def test_neighbours_are_those_of_a_double_loop():
    rows = np.random.default_rng(1).normal(size=(6, 4)).astype(np.float32)
    clips = Embeddings.from_rows(
        [Clip(str(i), None, Span(0, 1)) for i in range(6)],
        [row[None] for row in rows],
        Space.anonymous(4),
        Readout(""),
    )
    codes = encode_embeddings(clips, "binary")
    codes.scales[:] = 0  # all rows stand for one: ties go by place
    alone, rescored = measure_neighbours(clips, codes)
    assert alone.measure == "neighbours@5"
    assert alone.coded == rescored.coded == 100  # five others are all there are


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_from_end_to_end(stores, tmp_path):
    texts, clips = stores
    out = tmp_path / "out"
    found = run("quantise", clips, "--to", "int8", "--out", out, "--texts", texts, "--json")
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["losses"][0]["measure"] == "R@1"
    scored = ("--scorer", "maxsim,codes=int8,rescore=10", "--json")
    coded = run("evaluate", "--texts", texts, "--videos", out, *scored)
    plain = run("evaluate", "--texts", texts, "--videos", clips, *scored)
    assert json.loads(coded.stdout)["t2v"] == json.loads(plain.stdout)["t2v"]
    table = run("quantise", clips, "--to", "binary", "--out", tmp_path / "b", "--texts", texts)
    assert "95 % interval" in table.stdout
    assert max(map(len, table.stdout.splitlines()[:-1])) <= 100


def test_codes_of_the_store_are_what_evaluate_uses(stores, tmp_path):
    texts, clips = stores
    run("quantise", clips, "--to", "int8", "--out", tmp_path / "out", "--texts", texts)
    path = tmp_path / "out" / "codes-int8.safetensors"
    path.write_bytes(path.read_bytes()[:50])
    found = run(
        *("evaluate", "--texts", texts, "--videos", tmp_path / "out"),
        *("--scorer", "maxsim,codes=int8"),
    )
    assert "codes-int8" in str(found.exception)


def test_what_cannot_be_quantised_is_refused_in_one_sentence(tmp_path):
    texts, clips = planted(3, 1, 1)
    texts, clips = write(tmp_path / "t", "texts", texts), write(tmp_path / "c", "clips", clips)
    dot = Space("m", "1", "w", 32, "dot")
    with_dot = write(tmp_path / "d", "clips", [np.ones((1, 32))], dot)
    zero = write(tmp_path / "z", "clips", [np.zeros((1, 32))])
    other = write(tmp_path / "o", "texts", [np.ones((1, 8))], Space("m", "1", "w", 8))
    empty = write(tmp_path / "e", "clips", [])
    out = ("--to", "int8", "--out", tmp_path / "out")
    for words, why in {
        (tmp_path / "none", *out): "there is no store",
        (texts, *out): "holds texts, not clips",
        (with_dot, *out): "means dot products",
        (zero, *out): "is all zeros and has no direction",
        (empty, *out): "holds no items",
        (clips, *out, "--texts", other): "lives in another space",
        (clips, "--to", "int8", "--out", texts): "exists and is no empty folder",
        (tmp_path, *out): "is not itself a store",
    }.items():
        found = run("quantise", *words)
        assert found.exit_code != 0
        assert why in str(found.exception), found.exception
        assert not (tmp_path / "out").exists()
    assert run("quantise", clips, "--to", "int4", "--out", tmp_path / "out").exit_code == 2


def test_one_clip_is_quantised_without_a_loss_to_tell(tmp_path):
    one = write(tmp_path / "c", "clips", [np.ones((2, 32))])
    assert quantise_store(one, to="binary", out=tmp_path / "out").losses == ()
