"""A library remembers its model of texts, and searches ask it."""

from __future__ import annotations

import numpy as np
import pytest

from moviola.core import Passage, Readout, Space, Span
from moviola.library import CACHE, ChannelReading, scan
from moviola.pipeline.search import text_model
from moviola.pipeline.search.search import search


class Letters:
    """Embeds a text by its letters."""

    space = Space("letters", "1", "1", 26)
    readout = Readout("letters")

    def encode_queries(self, texts):
        rows = np.zeros((len(texts), 26), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for letter in text.lower():
                if "a" <= letter <= "z":
                    row[ord(letter) - 97] += 1
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)

    encode_passages = encode_queries


@pytest.fixture
def letters(monkeypatch):
    monkeypatch.setattr(text_model, "load_text_model", lambda _: Letters())


def test_a_remembered_model_is_asked(shelf, letters):
    lines = {"a.mp4": "silent listener", "b.mp4": "monday", "c.mp4": "rough cube"}
    for name in lines:
        shelf.put(name)
    with shelf.library.writer() as writer:
        for video in writer.plan(scan([shelf.folder], frozenset({".mp4"}))).decode:
            passage = Passage(video.id, Span(1, 3), lines[video.path.name], "speech")
            shelf.encode(writer, video, None, [ChannelReading("speech", "1", (passage,))])
    assert text_model.text_encoder_of(shelf.library) is None
    assert search("enlist", library=shelf.library, channels=["said"]) == []
    text_model.embed_passages(shelf.library, "letters")
    assert list((shelf.library.path / CACHE / "meaning").glob("*.npz"))
    (moment, *_) = search("enlist", library=shelf.library, channels=["said"])
    assert moment.why[0].text == "silent listener"
