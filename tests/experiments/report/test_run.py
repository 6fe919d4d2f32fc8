"""The whole way of an experiment on a handful of videos: what is run, written, and refused."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from moviola.cli.app import app
from moviola.experiments.report import planted as planted_experiment
from moviola.experiments.report import presets
from moviola.experiments.report import run as alignment_report
from moviola.experiments.report.planted import planted_data
from moviola.experiments.report.run import presets_named, run_and_write
from moviola.experiments.report.sources import data_of_files

VIDEOS, CAPTIONS, DIMENSION = 60, 2, 16


def _write_world(folder: Path) -> None:
    """Rows of captions and of videos that share eight hidden numbers, as folders of arrays."""
    rng = np.random.default_rng(0)
    maps = [rng.normal(size=(8, DIMENSION)) for _ in range(2)]
    for name in ("texts", "videos", "videos-after"):
        (folder / name).mkdir(parents=True)
    for video in range(VIDEOS):
        meant = rng.normal(size=8)
        rows = meant @ maps[0] + 0.2 * rng.normal(size=(3, DIMENSION))
        around = np.ones((2, DIMENSION))
        for name, array in (("videos", rows), ("videos-after", np.concatenate([around, rows]))):
            np.save(folder / name / f"video{video}.npy", array.astype(np.float32))
        for caption in range(CAPTIONS):
            tokens = meant @ maps[1] + 0.2 * rng.normal(size=(4, DIMENSION))
            tokens[0] = 5.0
            np.save(folder / "texts" / f"video{video}-{caption}.npy", tokens.astype(np.float32))


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    _write_world(folder)
    return folder


@pytest.fixture
def brief(monkeypatch):
    """Presets of two epochs."""
    short = {name: replace(preset, small=(2, 3)) for name, preset in presets.PRESETS.items()}
    monkeypatch.setattr(presets, "PRESETS", short)
    monkeypatch.setattr(alignment_report, "PRESETS", short)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append(tag)
        assert not any(key in ("src", "href") for key, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_all_experiments_end_on_one_page(world, brief, tmp_path) -> None:
    measured = tmp_path / "xclip-base-patch32.json"
    side = {"R@1": 11.0, "R@2": 12.0, "R@5": 13.0, "R@10": 14.0, "MRR": 0.1234}
    measured.write_text(json.dumps({"t2v": side, "v2t": side}))
    out = tmp_path / "out"
    words = ["experiment", "all", "--data", str(world), "--scale", "small", "--out", str(out)]
    done = CliRunner().invoke(app, [*words, "--xclip", str(measured), "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert [each["name"] for each in found] == [f"r{number:02d}" for number in range(1, 11)]
    assert found == json.loads((out / "results.json").read_text())
    page = _Page()
    page.feed((out / "report.html").read_text(encoding="utf-8"))
    assert "script" not in page.tags
    assert page.tags.count("svg") == 20
    told = " ".join(page.words)
    markdown = (out / "report.md").read_text(encoding="utf-8")
    for each in found:
        assert each["verdict"] in told
        assert each["verdict"] in markdown
        assert f"{each['remedy']['result']['t2v']['MRR']:.4f}" in told
    for text in (told, markdown):
        assert "0.1234" in text
        assert "measured, these data" in text
        assert "reported, MSR-VTT 1k-A" in text
        assert "text pooling first: every text has the same vector" in text


def test_curves_are_written_with_the_constant_s_line(world, brief, tmp_path) -> None:
    data = data_of_files(str(world / "texts"), str(world / "videos"))
    (experiment,) = run_and_write(presets_named("r01"), data, "small", tmp_path).experiments
    with (tmp_path / "r01" / "curves.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]
    for row, epoch in zip(rows, experiment.history.epochs, strict=True):
        assert float(row["val_loss"]) == pytest.approx(epoch.val_loss, rel=1e-4)
        assert float(row["constant_loss"]) == pytest.approx(0.25)
        assert row["test_loss"]
    for name in ("loss.svg", "mrr.svg"):
        picture = (tmp_path / "r01" / name).read_text(encoding="utf-8")
        assert picture.startswith("<svg ")
        assert "<style>" in picture
        assert len(re.findall("<polyline", picture)) == (4 if name == "loss.svg" else 3)
    assert (tmp_path / "r01" / "training" / "metrics.csv").is_file()


def test_test_videos_are_the_same_for_an_experiment_and_its_remedy(world, brief, tmp_path) -> None:
    data = data_of_files(str(world / "texts"), str(world / "videos"))
    (experiment,) = run_and_write(presets_named("r03"), data, "small", tmp_path).experiments
    remedied = experiment.remedy.result
    assert experiment.result.t2v.queries == remedied.t2v.queries
    assert experiment.result.n_gallery == remedied.n_gallery == len(data.test_clips)
    parts = [data.split.train, data.split.validation, data.split.test]
    assert sorted(np.concatenate(parts)) == list(range(VIDEOS))


def test_the_tenth_needs_videos_behind_the_llama(world, brief, tmp_path) -> None:
    words = ["experiment", "r10", "--texts", str(world / "texts"), "--videos"]
    words += [str(world / "videos"), "--scale", "small", "--out", str(tmp_path)]
    alone = CliRunner().invoke(app, words)
    assert isinstance(alone.exception, ValueError)
    assert "--videos-after" in str(alone.exception)


def test_what_is_left_out_of_several_is_told(world, brief, tmp_path) -> None:
    data = data_of_files(str(world / "texts"), str(world / "videos"))
    wanted = [*presets_named("r01"), *presets_named("r10")]
    collected = run_and_write(wanted, data, "small", tmp_path)
    assert [each.preset.name for each in collected.experiments] == ["r01"]
    for name in ("report.html", "report.md"):
        assert "r10 was not run" in (tmp_path / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["r11"], "no experiment is called 'r11'"),
        (["r01", "--scale", "tiny"], "no scale is called 'tiny'"),
        (["r01", "--texts", "a.npy"], "give either --data, or --texts and --videos"),
        (["r01", "--data", "d", "--videos", "v"], "give either --data, or --texts and --videos"),
        (["r01", "--data", "nowhere"], "there is no folder nowhere"),
        (["r01", "--data", "planted", "--xclip", "no.json"], "there is no file no.json"),
    ],
)
def test_what_cannot_run_is_refused_before_anything_runs(words, told, monkeypatch) -> None:
    monkeypatch.setattr(alignment_report, "_grid", None)
    if "planted" in words:
        monkeypatch.setattr(
            "moviola.experiments.report.sources.planted_data", lambda *_, **__: None
        )
    done = CliRunner().invoke(app, ["experiment", *words])
    assert told in str(done.exception)


def test_planted_data_are_apart_and_equal_for_equal_seeds(monkeypatch) -> None:
    sizes = {"dimension": 16, "videos": 40, "captions": 2, "test_videos": 10}
    plant = planted_experiment.plant
    monkeypatch.setattr(
        planted_experiment,
        "plant",
        lambda seed, **options: plant(seed, **{**options, **sizes}),
    )
    monkeypatch.setattr(planted_experiment, "_SIZES", {"small": tuple(sizes.values())})
    first, again = planted_data("small", seed=3), planted_data("small", seed=3)
    assert np.array_equal(first.clips.vectors, again.clips.vectors)
    assert len(first.after) == len(first.clips) == 50
    begin, end = first.own_rows
    for row in (0, 17, 49):
        assert np.array_equal(first.after.rows(row)[begin:end], first.clips.rows(row))
    assert np.array_equal(first.after.rows(0)[:begin], first.after.rows(49)[:begin])
    parts = first.split
    assert sorted(np.concatenate([parts.train, parts.validation, parts.test])) == list(range(50))
