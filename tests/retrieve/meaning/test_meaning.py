"""Passages are found by what they mean, in windows of neighbours."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from moviola.core import Passage, Readout, Space, SpaceMismatchError, Span, StoreCorruptError
from moviola.library import CACHE, ChannelReading, scan
from moviola.library.text_index import IndexedPassages
from moviola.retrieve.meaning.chosen_model import TEXT_MODEL_NAME, ChosenTextModel
from moviola.retrieve.meaning.windows import WINDOW_SECONDS, text_windows
from moviola.retrieve.query import Query
from moviola.retrieve.search import search

LIKE = {"car": "automobile", "vehicle": "automobile", "feline": "cat", "kitten": "cat"}


class Synonyms:
    """Embeds a text as the mean of random directions of its words; synonyms share one."""

    space = Space("synonyms", "1", "1", 32)
    readout = Readout("lower case")

    def __init__(self):
        self.encoded = 0

    def encode_queries(self, texts):
        return np.stack([self._row(text) for text in texts])

    def encode_passages(self, texts):
        self.encoded += len(texts)
        return self.encode_queries(texts)

    def _row(self, text):
        row = np.zeros(32)
        for word in text.lower().split():
            seed = hashlib.blake2b(LIKE.get(word, word).encode(), digest_size=4).digest()
            row += np.random.default_rng(int.from_bytes(seed)).standard_normal(32)
        return (row / max(np.linalg.norm(row), 1e-9)).astype(np.float32)


def passages_of(*rows):
    return IndexedPassages.of([Passage(v, Span(a, b), text, c) for v, c, a, b, text in rows])


def test_neighbours_make_windows_that_overlap():
    rows = [("v", "speech", float(at), at + 4.0, f"line{at}") for at in range(0, 60, 5)]
    windows = text_windows(passages_of(*rows))
    assert all(each.end - each.start <= WINDOW_SECONDS for each in windows)
    assert [each.start for each in windows] == [0, 15, 30]
    assert windows[0].text == "line0 line5 line10 line15 line20 line25"
    shown = {word for each in windows for word in each.text.split()}
    assert shown == {text for *_, text in rows}


def test_channels_and_videos_do_not_mix_and_long_passages_stand_alone():
    windows = text_windows(
        passages_of(
            ("v", "speech", 0, 90, "long"),
            ("v", "speech", 1, 2, "short"),
            ("v", "writing", 0, 2, "sign"),
            ("w", "speech", 0, 2, "other"),
        )
    )
    assert [each.text for each in windows] == ["long", "short", "sign", "other"]


@pytest.fixture
def told(shelf):
    lines = {"a.mp4": "an automobile stops", "b.mp4": "the kitten sleeps", "c.mp4": "rain falls"}
    for name in lines:
        shelf.put(name)
    with shelf.library.writer() as writer:
        for video in writer.plan(scan([shelf.folder], frozenset({".mp4"}))).decode:
            text = lines[video.path.name]
            passage = Passage(video.id, Span(1, 3), text, "speech")
            shelf.encode(writer, video, None, [ChannelReading("speech", "1", (passage,))])
    return shelf


def test_what_means_the_same_is_found(told):
    encoder = Synonyms()
    query = Query.parse("vehicle stops")
    assert search(Query.parse("vehicle"), told.library, None) == []
    (moment, *_) = search(query, told.library, None, text_encoder=encoder)
    assert moment.path.name == "a.mp4"
    assert moment.why[0].channel == "speech"
    assert moment.why[0].text == "an automobile stops"
    (moment, *_) = search(Query.parse("feline"), told.library, None, text_encoder=encoder)
    assert moment.path.name == "b.mp4"


def test_vectors_are_kept_and_may_be_deleted(told):
    first, second, third = Synonyms(), Synonyms(), Synonyms()
    query = Query.parse("feline")
    found = search(query, told.library, None, text_encoder=first)
    assert search(query, told.library, None, text_encoder=second) == found
    assert (first.encoded, second.encoded) == (3, 0)
    for path in (told.library.path / CACHE / "meaning").iterdir():
        path.write_bytes(b"damaged")
    assert search(query, told.library, None, text_encoder=third) == found
    assert third.encoded == 3


def test_a_library_remembers_its_text_model(library):
    encoder = Synonyms()
    assert ChosenTextModel.read(library.path) is None
    chosen = ChosenTextModel("synonyms", encoder.space, encoder.readout)
    chosen.write(library.path)
    assert ChosenTextModel.read(library.path) == chosen
    chosen.require(encoder)
    other = Synonyms()
    other.space = Space("synonyms", "2", "2", 32)
    with pytest.raises(SpaceMismatchError, match="synonyms"):
        chosen.require(other)
    (library.path / TEXT_MODEL_NAME).write_text("{")
    with pytest.raises(StoreCorruptError, match="text model"):
        ChosenTextModel.read(library.path)
