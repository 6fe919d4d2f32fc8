"""Layers of known worth, and whether a sweep says so."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from moviola.analysis.layer_alignment import LayerRows, align_layer, split_videos
from moviola.analysis.layer_page import brief_rows, write_sweep
from moviola.analysis.layer_stores import clip_layers, layer_pairs, text_layers
from moviola.analysis.layer_sweep import sweep_layers
from moviola.cli.app import app
from moviola.core import Clip, Readout, Space, Span, Text
from moviola.store import StoreWriter

VIDEOS, CAPTIONS, WIDTH = 300, 2, 24
WORTH = (0.05, 0.4, 1.5, 0.8)


def write(folder, kind, items, rows, layer):
    readout = Readout("p", layer=f"{layer} of {len(WORTH) - 1}", pooling="mean")
    space = Space("toy", "1", "none", rows.shape[1])
    with StoreWriter(folder, kind=kind, space=space, readout=readout, dtype="float32") as store:
        for item, row in zip(items, rows, strict=True):
            store.append(item, row[None].astype(np.float32))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Stores whose layers know more or less of what videos and captions have in common."""
    place = tmp_path_factory.mktemp("layers")
    rng = np.random.default_rng(0)
    meant = rng.normal(size=(VIDEOS, 8))
    clips = [Clip(f"v{i}", place, Span(0, 1)) for i in range(VIDEOS)]
    texts = [Text(f"v{i}-{j}", "") for i in range(VIDEOS) for j in range(CAPTIONS)]
    for layer, worth in enumerate(WORTH):
        for kind, items, own in (
            ("clips", clips, meant),
            ("texts", texts, np.repeat(meant, CAPTIONS, axis=0)),
        ):
            view = worth * own @ rng.normal(size=(8, WIDTH)) / 8**0.5
            rows = view + 0.5 * rng.normal(size=view.shape) + 2.0
            write(place / kind / f"layer-{layer:02d}", kind, items, rows, layer)
    return place


@pytest.fixture(scope="module")
def sweep(folder):
    return sweep_layers(text_layers(folder / "texts", None), clip_layers(folder / "clips", None))


def test_the_layer_that_knows_most_is_found_with_labels_and_without(sweep):
    assert [score.clip_layer for score in sweep.scores] == [0, 1, 2, 3]
    for figure in ("overlap", "aligned_mrr"):
        values = [getattr(score, figure) for score in sweep.scores]
        assert list(np.argsort(values)) == [0, 1, 3, 2], figure
    assert sweep.best("overlap").clip == sweep.best("aligned_mrr").clip == "layer-02"


def test_what_means_nothing_is_near_chance(sweep):
    first = sweep.scores[0]
    assert first.overlap == pytest.approx(sweep.chance_overlap, abs=0.03)
    assert first.aligned_mrr < 2.5 * sweep.chance_mrr
    # Two random views of one meaning have no cosine to compare, however much they know.
    assert all(score.raw_mrr < 3 * sweep.chance_mrr for score in sweep.scores)
    assert sweep.scores[2].aligned_mrr > 0.5
    assert sweep.chance_mrr == pytest.approx(np.mean([1 / r for r in range(1, 61)]))


def test_the_notes_tell_k_and_n(sweep):
    assert "the 10 nearest among N = 300 videos" in sweep.notes[0]
    assert "120 captions among 60 held-out videos" in sweep.notes[1]
    assert any(note.startswith("Best without labels: layer-02, overlap 0.") for note in sweep.notes)
    assert any("rank correlation of 1.00" in note for note in sweep.notes)


def test_geometry_is_that_of_each_side(sweep):
    ranks = [score.clip_rank for score in sweep.scores]
    assert ranks[0] > 15  # noise fills all directions
    assert ranks[2] < 12  # eight that mean something, and little else
    assert all(0.3 < score.text_cosine < 1 for score in sweep.scores)


def test_a_sweep_can_be_repeated(sweep, folder):
    again = sweep_layers(text_layers(folder / "texts", None), clip_layers(folder / "clips", None))
    assert again == sweep


def test_a_fit_never_sees_the_videos_that_it_is_measured_on():
    rng = np.random.default_rng(0)
    owner = np.repeat(np.arange(100), 2)
    rows = LayerRows(
        rng.normal(size=(200, 5)).astype(np.float32),
        rng.normal(size=(100, 4)).astype(np.float32),
        owner,
    )
    split = split_videos(np.arange(100), seed=0)
    assert not set(split.train) & set(split.validation)
    assert len(split.validation) == 20
    before = align_layer(rows, split)
    texts, clips = rows.texts.copy(), rows.clips.copy()
    held = split.validation[:10]
    texts[np.isin(owner, held)] += 100
    clips[held] += 100
    after = align_layer(LayerRows(texts, clips, owner), split)
    np.testing.assert_array_equal(after.texts[20:], before.texts[20:])
    np.testing.assert_array_equal(after.clips[10:], before.clips[10:])
    few = split_videos(np.arange(40), seed=0)
    assert align_layer(rows, few) is None


def test_one_layer_goes_with_all_of_the_other_side(folder):
    texts = text_layers(folder / "texts" / "layer-02", None)
    clips = clip_layers(folder / "clips", None)
    assert layer_pairs(texts, clips, cross=False) == [("layer-02", name) for name in clips.places]
    found = sweep_layers(texts, clips)
    assert found.best("aligned_mrr").clip == "layer-02"


def test_cross_tries_every_pair(folder):
    texts = text_layers(folder / "texts", None)
    found = sweep_layers(texts, clip_layers(folder / "clips", None), cross=True, k=5)
    assert len(found.scores) == len(WORTH) ** 2
    assert (found.best("overlap").text, found.best("overlap").clip) == ("layer-02", "layer-02")


def test_layers_of_different_items_are_refused(folder, tmp_path):
    items = [Text(f"v{i}-0", "") for i in range(VIDEOS)]
    rows = np.random.default_rng(0).normal(size=(VIDEOS, WIDTH))
    write(tmp_path / "layer-00", "texts", items, rows, 0)
    write(tmp_path / "layer-01", "texts", items[::-1], rows, 1)
    with pytest.raises(ValueError, match="different captions"):
        sweep_layers(text_layers(tmp_path, None), clip_layers(folder / "clips", None))


def test_what_is_no_sweep_is_refused(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no stores"):
        text_layers(tmp_path, None)
    write(tmp_path / "deep", "texts", [Text("v0-0", "")], np.ones((1, WIDTH)), 0)
    write(tmp_path / "deeper", "texts", [Text("v0-0", "")], np.ones((1, WIDTH)), 1)
    clips = clip_layers(folder / "clips", None)
    with pytest.raises(ValueError, match="--cross"):
        layer_pairs(text_layers(tmp_path, None), clips, cross=False)
    with pytest.raises(ValueError, match="too few for 10 neighbours"):
        sweep_layers(text_layers(tmp_path, None), clips, cross=True)


def test_the_page_and_the_table_hold_the_numbers(sweep, tmp_path):
    table, page = write_sweep(sweep, tmp_path / "out")
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["clip"] for row in rows] == [score.clip for score in sweep.scores]
    assert float(rows[2]["aligned_mrr"]) == pytest.approx(sweep.scores[2].aligned_mrr, rel=1e-5)
    text = page.read_text()
    assert text.count("<svg") == 4
    assert f"{sweep.scores[2].aligned_mrr:.4f}" in text
    assert "<script" not in text


def test_every_mrr_has_its_interval(sweep):
    for score in sweep.scores:
        for figure in ("raw_mrr", "aligned_mrr"):
            low, high = score.interval(figure)
            assert low < getattr(score, figure) < high
    assert sweep.scores[0].interval("overlap") is None
    best = next(note for note in sweep.notes if note.startswith("Best once aligned"))
    assert f"[{sweep.scores[2].aligned_low:.4f}, {sweep.scores[2].aligned_high:.4f}]" in best
    low, sure = (replace(sweep.scores[2], raw_low=end) for end in (0.9, 1.1))
    for score, said in ((low, "which is not told from chance."), (sure, "].")):
        chance = sweep.chance_mrr
        one = replace(sweep, scores=(replace(score, raw_low=score.raw_low * chance),))
        raw = next(note for note in one.notes if note.startswith("Best by raw cosine"))
        assert raw.endswith(said)


def test_the_table_of_the_command_fits_a_hundred_columns(sweep):
    rows = brief_rows(sweep)
    assert {len(row) for row in rows} == {9}
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    assert sum(widths) + 2 * (len(widths) - 1) <= 100


def test_the_command_prints_and_writes(folder, tmp_path):
    words = ["layer-sweep", "--videos", str(folder / "clips"), "--texts", str(folder / "texts")]
    words += ["--out", str(tmp_path / "out")]
    plain = CliRunner().invoke(app, words)
    assert plain.exit_code == 0, plain.output
    assert "Best without labels: layer-02" in plain.output
    value = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert (value["k"], value["items"]) == (10, VIDEOS)
    assert value["written"][1].endswith("layer_sweep.html")


def test_layers_at_which_all_items_are_alike_have_no_neighbours(folder, tmp_path):
    """Before the first layer, the last token of a prompt is the same for all: no overlap of 1."""
    for kind, items in (
        ("clips", [Clip(f"v{i}", tmp_path, Span(0, 1)) for i in range(VIDEOS)]),
        ("texts", [Text(f"v{i}-{j}", "") for i in range(VIDEOS) for j in range(CAPTIONS)]),
    ):
        shutil.copytree(folder / kind, tmp_path / kind)
        shutil.rmtree(tmp_path / kind / "layer-00")
        same = np.random.default_rng(1).normal(size=(1, WIDTH)).repeat(len(items), axis=0)
        write(tmp_path / kind / "layer-00", kind, items, same, 0)
    for cross in (False, True):
        sweep = sweep_layers(
            text_layers(tmp_path / "texts", None),
            clip_layers(tmp_path / "clips", None),
            cross=cross,
        )
        constant = [s for s in sweep.scores if "layer-00" in (s.text, s.clip)]
        assert all(np.isnan(score.overlap) for score in constant)
        assert sweep.best("overlap").clip == "layer-02"
        assert any("All items of a side have the same vector" in note for note in sweep.notes)
        both = next(s for s in constant if s.text == s.clip)
        assert both.raw_mrr == pytest.approx(sweep.chance_mrr)
        assert sweep.to_json()["scores"][0]["overlap"] is None
        assert not any("nan" in note for note in sweep.notes)
