from __future__ import annotations

import json

import numpy as np
import pytest

import moviola
from moviola.core import GridSampler
from moviola.pipeline.bench import measuring, record
from moviola.pipeline.bench.estimating import estimate_seconds
from moviola.pipeline.bench.record import Bench
from moviola.pipeline.models import list_models

ECHO = "moviola.testing:EchoEncoder"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "cache_path", lambda: tmp_path / "cache")
    return tmp_path / "cache"


def test_what_was_measured_is_read_back_and_damage_counts_as_nothing(cache):
    assert Bench.stored() is None
    bench = Bench("2026-11-28", 6.0, {"shapes": 1.5}, 200.0)
    bench.store()
    assert Bench.stored() == bench
    for text in ("{", "[]", "{}", '{"date": 1, "decode": "x", "models": [], "write": 0}'):
        (cache / "bench.json").write_text(text)
        assert Bench.stored() is None


def test_the_slower_of_decoding_and_the_model_counts():
    bench = Bench("2026-11-28", 6.0, {"quick": 1.0, "slow": 30.0})
    assert bench.seconds_for("quick", 600) == 60
    assert bench.seconds_for("slow", 600) == 300
    assert bench.seconds_for("unknown", 600) is None


def test_models_tell_what_was_measured_here():
    Bench("2026-11-28", 6.0, {"shapes": 1.5}).store()
    told = {entry.info.name: entry.seconds for entry in list_models()}
    assert told["shapes"] == 1.5
    assert told["clip-base-patch32"] is None


def test_an_index_run_is_estimated_from_a_few_of_its_files(tmp_path, colour_video):
    (tmp_path / "videos").mkdir()
    for number in range(4):
        colour_video(tmp_path / "videos" / f"{number}.mp4", (220, 20, 50 * number), seconds=3)
    steps = []
    Bench("2026-11-28", 60.0, {ECHO: 1.0}).store()
    moviola.index(
        [tmp_path / "videos"], library=tmp_path / "lib", model=ECHO, on_progress=steps.append
    )
    assert [step.done for step in steps] == [0, 1, 2, 3, 4]
    assert steps[0].estimate == pytest.approx(12, rel=0.3)  # 12 s of video at 60 s a minute
    assert all(step.estimate is None for step in steps[1:])


def test_nothing_is_estimated_of_a_model_that_was_not_measured():
    Bench("2026-11-28", 60.0, {"other": 1.0}).store()
    assert estimate_seconds(None, [object()], ECHO) is None


class Single:
    """Sees frames one by one, and counts them."""

    sampler = GridSampler(2)
    shrink = None

    def __init__(self):
        self.frames = 0

    @property
    def frame_tower(self):
        return self

    def encode_frames(self, frames):
        self.frames += len(frames)
        return np.zeros((len(frames), 2), np.float32)

    def pool_frames(self, clips):
        return clips


def test_a_frame_that_windows_share_counts_once(monkeypatch):
    monkeypatch.setattr(measuring, "_seconds_each", lambda run, _: (run(), 1.0)[1])
    seconds = measuring.measure_model(Single())
    assert seconds == 2 * 63  # two a second, for the 63 s that 20 windows of 6 s every 3 s last


def test_decoding_models_and_disk_are_measured_and_kept(tmp_path, monkeypatch, cache):
    monkeypatch.setattr(measuring, "_SECONDS", 3)
    monkeypatch.setattr(measuring, "_MODEL_SECONDS", 0.0)
    monkeypatch.setattr(measuring, "_DISK_BYTES", 1 << 20)
    told = []
    bench = measuring.measure(tmp_path / "library", [ECHO], on_step=told.append)
    assert told == ["decoding", "the disk", ECHO]
    assert bench.decode > 0
    assert bench.write > 0
    assert set(bench.models) == {ECHO}
    assert json.loads((cache / "bench.json").read_text())["models"] == dict(bench.models)
    Bench(bench.date, 1.0, {"other": 2.0}, 1.0).store()
    assert set(measuring.measure(tmp_path, [ECHO]).models) == {ECHO, "other"}
