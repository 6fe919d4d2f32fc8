from __future__ import annotations

import numpy as np
import pytest
import torch

from moviola.core import Readout, Space
from moviola.encode.runtime import reduced_precision
from moviola.encode.runtime.reduced_precision import load_measured


class Encoder:
    """An encoder of texts whose rows turn by an angle in bfloat16."""

    def __init__(self, precision, angle, calls):
        self._precision, self._angle, self._calls = precision, angle, calls
        self.space = Space("model", "main", f"weights {angle}", 2)
        self.text_readout = Readout("tokens")

    def precision(self, _tower):
        return self._precision

    def encode_texts(self, texts):
        self._calls.append(self._precision)
        angle = self._angle if self._precision == "bfloat16" else 0.0
        return [np.array([[np.cos(angle), np.sin(angle)]], np.float32) for _ in texts]


@pytest.fixture
def loader(monkeypatch, tmp_path):
    """A function of an angle to a loader on a device that computes in bfloat16, and its calls."""
    monkeypatch.setattr(reduced_precision, "cache_path", lambda: tmp_path)

    def make(angle):
        calls = []
        return (lambda asked: Encoder(asked or "bfloat16", angle, calls)), calls

    return make


def test_bfloat16_that_keeps_vectors_is_measured_once(loader, caplog):
    load, calls = loader(0.01)
    for _ in range(2):
        assert load_measured(load, None).precision("texts") == "bfloat16"
    assert calls == ["bfloat16", "float32"]
    assert not caplog.records


def test_an_encoder_that_bfloat16_moves_computes_in_float32_and_says_so(loader, caplog):
    load, calls = loader(0.7)
    for _ in range(2):
        assert load_measured(load, None).precision("texts") == "float32"
    assert calls == ["bfloat16", "float32"]
    assert "computes in float32: bfloat16 would move its vectors of texts (cosine 0.7648)" in (
        caplog.text
    )


def test_bfloat16_that_was_asked_for_stays_and_its_cosine_is_named(loader, caplog):
    load, _ = loader(0.7)
    assert load_measured(load, "bfloat16").precision("texts") == "bfloat16"
    assert "(cosine 0.7648 to float32, below 0.999); --precision float32 does not" in caplog.text


def test_float32_is_not_measured(loader):
    load, calls = loader(0.7)
    assert load_measured(load, "float32").precision("texts") == "float32"
    assert not calls


def test_what_does_not_fit_in_float32_says_that_nothing_was_measured(loader, caplog):
    load, _ = loader(0.7)

    def short(asked):
        if asked == "float32":
            raise torch.OutOfMemoryError
        return load(asked)

    assert load_measured(short, None).precision("texts") == "bfloat16"
    assert "was not measured" in caplog.text


def test_a_damaged_record_is_measured_again(loader, tmp_path):
    load, calls = loader(0.7)
    load_measured(load, None)
    (record,) = (tmp_path / "precision").iterdir()
    record.write_text("{")
    assert load_measured(load, None).precision("texts") == "float32"
    assert calls == 2 * ["bfloat16", "float32"]
