"""Hits of a library are judged by the most particular calibration there is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest

from fixtures.shelf import SUFFIXES, unit_rows
from moviola.core import StoreCorruptError
from moviola.library import Library, scan
from moviola.retrieve import first_hit_probability
from moviola.retrieve.calibration import kept_bank
from moviola.retrieve.calibration.bank_statistics import BankStatistics
from moviola.retrieve.calibration.judges import judge_for
from moviola.retrieve.calibration.kept_bank import bank_directions, score_bank
from moviola.retrieve.calibration.library_calibration import LibraryCalibration, Restated
from moviola.retrieve.calibration.ordinary import ordinary_sentences
from moviola.retrieve.query import Query
from moviola.retrieve.search import find_moments, search

VIDEOS = 40


class Words:
    """An encoder that makes vectors of whole texts; `answers` says which are near which row."""

    def __init__(self, library: Library, answers: dict[str, np.ndarray] | None = None) -> None:
        self.space, self.text_readout = library.card.space, library.card.text_readout
        self.answers = answers or {}
        self.encoded = 0

    def encode_texts(self, texts: list[str]) -> list[np.ndarray]:
        self.encoded += len(texts)
        return [self._row(text) for text in texts]

    def _row(self, text: str) -> np.ndarray:
        row = unit_rows(text, 1)
        return 0.35 * row + self.answers[text] if text in self.answers else row


@pytest.fixture
def filled(shelf):
    """Forty videos of one clip each, and one more of three."""
    for number in range(VIDEOS + 1):
        shelf.put(f"{number:02d}.mp4")
    with shelf.library.writer() as writer:
        for place, video in enumerate(writer.plan(scan([shelf.folder], SUFFIXES)).decode):
            count = 3 if place == VIDEOS else 1
            writer.add(
                video.record(shelf.info), shelf.clips(video, count), unit_rows(video.id, count)
            )
    return shelf.library


def _encoder(library: Library, place: int = 3) -> Words:
    return Words(library, {"the answer": library.snapshot().matrix[[place]]})


def _ask(library: Library, encoder: Words, text: str, **options: Any):
    return search(Query(text), library, cast("Any", encoder), **options)


def test_what_is_there_is_believed_and_what_is_not_is_not(filled):
    encoder = _encoder(filled)
    moments = _ask(filled, encoder, "the answer")
    assert moments[0].video == filled.snapshot().records[3].id
    assert moments[0].band in ("strong", "likely")
    assert moments[0].probability > 0.5
    assert {moment.band for moment in moments[1:]} == {"unsure"}
    absent = [_ask(filled, encoder, f"nothing {n}")[0].probability for n in range(20)]
    assert np.mean(absent) < 0.3


def test_a_first_hit_is_as_probable_as_its_scores_say(filled):
    encoder = _encoder(filled)
    snapshot = filled.snapshot()
    directions = bank_directions(filled, cast("Any", encoder))
    bank = np.maximum.reduceat(directions @ snapshot.matrix.T, snapshot.offsets[:-1], axis=1)
    for text in ("the answer", "something else", "a third thing"):
        row = encoder.encode_texts([text])[0]
        scores = row / np.linalg.norm(row) @ snapshot.matrix.T
        best = np.maximum.reduceat(scores, snapshot.offsets[:-1], axis=1)
        expected = first_hit_probability(best, bank)[0]
        assert _ask(filled, encoder, text)[0].probability == pytest.approx(expected, rel=1e-3)


def test_a_copy_is_no_rival_and_as_probable(shelf, filled):
    encoder = _encoder(filled)
    alone = _ask(filled, encoder, "the answer")[0]
    row = filled.snapshot().matrix[[3]] + 0.01 * unit_rows("noise", 1)
    shelf.put("copy.mp4")
    with filled.writer() as writer:
        for video in writer.plan(scan([shelf.folder], SUFFIXES)).decode:
            rows = row / np.linalg.norm(row)
            writer.add(video.record(shelf.info), shelf.clips(video, 1), rows)
    filled.refresh()
    first, second = _ask(filled, encoder, "the answer", fold=False)[:2]
    assert second.score == pytest.approx(first.score, abs=0.02)
    assert first.probability == second.probability
    assert first.probability == pytest.approx(alone.probability, abs=0.05)
    (folded, *_) = _ask(filled, encoder, "the answer")
    assert folded.probability == first.probability


def test_further_moments_of_a_video_have_no_probability(filled):
    encoder = _encoder(filled, place=VIDEOS)
    moments = _ask(filled, encoder, "the answer", per_video=None, top=100)
    seen: set[str] = set()
    for moment in moments:
        assert (moment.probability is None) == (moment.video in seen)
        assert (moment.band is None) == (moment.probability is None)
        seen.add(moment.video)


@pytest.mark.parametrize(
    "query",
    [
        Query("the answer", unwanted=("rain",)),
        Query("the answer", then=("the end",)),
        Query(like="?"),
        Query("the answer", like="?"),
    ],
)
def test_only_plain_sentences_are_judged(filled, query):
    if query.like:
        query = replace(query, like=bytes(filled.snapshot().clips[0]).decode())
    moments = search(query, filled, cast("Any", _encoder(filled)))
    assert moments
    assert {(moment.band, moment.probability) for moment in moments} == {(None, None)}


def test_that_nothing_matches_is_said_of_what_stands_out_of_nothing(filled):
    snapshot, encoder = filled.snapshot(), _encoder(filled)
    judge = judge_for(filled, cast("Any", encoder), snapshot)
    flat = np.full((1, len(snapshot.matrix)), -0.9, np.float32)
    answer = (snapshot.matrix @ snapshot.matrix[3])[None]
    for scores, absent in ((flat, True), (answer, False)):
        found = find_moments(Query("any"), snapshot, scores, judge=judge, top=3)
        assert found.absent is absent


def test_an_encoder_s_own_calibration_wins(shelf, filled):
    filled.card = replace(filled.card, calibration=(20.0, -5.0))
    for moment in _ask(filled, _encoder(filled), "the answer"):
        assert moment.probability == pytest.approx(1 / (1 + np.exp(5 - 20 * moment.score)))


def test_a_calibration_of_the_user_s_own_pairs_wins_over_all(filled):
    general = _ask(filled, _encoder(filled), "the answer")[0].probability
    filled.card = replace(filled.card, calibration=(20.0, -5.0))
    own = LibraryCalibration(Restated(0.5, -1.0), Restated(1.0, 0.0), None, {"pairs": 60})
    own.write(filled.path)
    assert LibraryCalibration.read(filled.path) == own
    expected = 1 / (1 + np.exp(1 - 0.5 * np.log(general / (1 - general))))
    found = _ask(filled, _encoder(filled), "the answer")[0].probability
    assert found == pytest.approx(expected, rel=1e-6)
    assert Library.open(filled.path).path == filled.path


@pytest.mark.parametrize("text", ["{", "{}", '{"schema": 99}', "[]", '{"schema": 1, "right": 3}'])
def test_a_calibration_that_cannot_be_read_is_named(filled, text):
    (filled.path / "calibration.json").write_text(text)
    with pytest.raises(StoreCorruptError, match=r"calibration\.json cannot be used"):
        _ask(filled, _encoder(filled), "the answer")


def test_the_bank_is_embedded_once_and_again_when_it_is_lost(filled):
    sentences = len(ordinary_sentences())
    encoder = _encoder(filled)
    first = _ask(filled, encoder, "the answer")
    assert encoder.encoded == sentences + 1
    _ask(filled, encoder, "the answer")
    assert encoder.encoded == sentences + 2
    again = _encoder(Library.open(filled.path))
    assert _ask(Library.open(filled.path), again, "the answer") == first
    assert again.encoded == 1
    (kept,) = (filled.path / "cache" / "bank").iterdir()
    for damage in (b"", b"\x93NUMPY", kept.read_bytes()[:-5]):
        kept.write_bytes(damage)
        late = _encoder(filled)
        assert _ask(Library.open(filled.path), late, "the answer") == first
        assert late.encoded == sentences + 1


def test_a_library_that_cannot_be_written_to_is_judged_all_the_same(filled):
    (filled.path / "cache").write_text("in the way")
    assert _ask(filled, _encoder(filled), "the answer")[0].probability > 0.5


def test_an_encoder_that_tells_no_texts_apart_gives_no_probabilities(filled, caplog):
    class Constant(Words):
        def encode_texts(self, texts: list[str]) -> list[np.ndarray]:
            return [unit_rows("the same", 1) for _ in texts]

    moments = _ask(filled, Constant(filled), "anything")
    assert {moment.probability for moment in moments} == {None}
    assert "same vector of every sentence" in caplog.text
    assert not (filled.path / "cache" / "bank").exists()


def test_an_empty_library_has_no_judge(library):
    assert judge_for(library, cast("Any", Words(library)), library.snapshot()) is None
    assert _ask(library, Words(library), "anything") == []


@pytest.mark.parametrize("block", [1, 700, 10**9])
def test_videos_score_as_their_best_clips_in_blocks_of_any_size(filled, monkeypatch, block):
    monkeypatch.setattr(kept_bank, "_BLOCK", block)
    snapshot = filled.snapshot()
    rows = np.concatenate([unit_rows(text, 1) for text in ordinary_sentences()])
    found = score_bank(rows, snapshot)
    whole = np.maximum.reduceat(rows @ snapshot.matrix.T, snapshot.offsets[:-1], axis=1)
    expected = BankStatistics.of(whole)
    np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.spread, expected.spread, rtol=1e-4)
    np.testing.assert_allclose(found.most, expected.most, rtol=1e-4)
    assert found.best == pytest.approx(expected.best, rel=1e-4)


def test_the_bank_is_two_hundred_different_sentences():
    sentences = ordinary_sentences()
    assert len(set(sentences)) == len(sentences) == 200
    assert all(3 <= len(sentence.split()) <= 14 and sentence.isascii() for sentence in sentences)
