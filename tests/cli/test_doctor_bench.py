"""`moviola doctor --bench` prints what it measured, and `moviola models` compares by it."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from moviola.cli.app import app
from moviola.pipeline.bench import measuring, record
from moviola.pipeline.bench.record import Bench

FOUND = Bench("2026-11-28", 6.5, {"shapes": 1.25, "clip-base-patch32": 4.0}, 210.0)


@pytest.fixture(autouse=True)
def measured(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "cache_path", lambda: tmp_path)
    asked = []

    def measure(place, models, on_step):
        asked.append((place, models))
        on_step("decoding")
        FOUND.store()
        return FOUND

    monkeypatch.setattr(measuring, "measure", measure)
    return asked


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_figures_are_printed_quickest_first(measured, tmp_path):
    done = run("doctor", "--bench", "--model", "shapes", "--library", tmp_path / "lib")
    assert done.exit_code == 0
    assert measured == [(tmp_path / "lib", ["shapes"])]
    lines = done.stdout.splitlines()
    assert lines[0] == "decoding: 6.50 s a minute of 720p video"
    assert [line.split(":")[0] for line in lines[1:]] == ["shapes", "clip-base-patch32", "disk"]
    assert json.loads(run("doctor", "--bench", "--json").stdout)["models"]["shapes"] == 1.25


def test_a_model_without_the_bench_is_refused():
    assert run("doctor", "--model", "shapes").exit_code == 2


def test_models_are_compared_by_it():
    assert "s a minute" not in run("models").stdout
    run("doctor", "--bench")
    told = {entry["name"]: entry for entry in json.loads(run("models", "--json").stdout)}
    assert told["shapes"]["seconds_a_minute"] == 1.25
    assert told["siglip-base-patch16"]["seconds_a_minute"] is None
    assert "s a minute" in run("models").stdout.replace("\n", " ")
