"""Corrections for hubs without the matrix of scores: of vectors, and of a library."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fixtures.shelf import search_vector
from moviola.core import Clip, Embeddings, Readout, Scores, Space, Span, Text, VideoInfo, clip_id
from moviola.library import Library, LibraryCard, scan
from moviola.pipeline.evaluate import ranking
from moviola.pipeline.evaluate.ranking import rank_corrected
from moviola.score import (
    CSLS,
    NNN,
    DualSoftmax,
    InvertedSoftmax,
    QBNorm,
    Sinkhorn,
    adjust_blocks,
    dot,
    maxsim,
    score_blocks,
)

SPACE = Space("stub", "r1", "w1", 16)
READ = Readout("as it is")
CORRECTIONS = [CSLS, InvertedSoftmax, NNN, QBNorm, Sinkhorn]


def _rows(seed: int, count: int, most: int = 1) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [
        (rng.normal(size=(rng.integers(1, most + 1), 16)) + 0.6).astype(np.float32)
        for _ in range(count)
    ]


def _texts(rows: list[np.ndarray], space: Space = SPACE) -> Embeddings[Text]:
    return Embeddings.from_rows([Text(f"t{n}", "") for n in range(len(rows))], rows, space, READ)


def _clips(rows: list[np.ndarray], space: Space = SPACE) -> Embeddings[Clip]:
    items = [Clip(f"v{n}", Path(), Span(0, n + 1)) for n in range(len(rows))]
    return Embeddings.from_rows(items, rows, space, READ)


def _best(scores: Scores, top: int) -> list[list[tuple[str, float]]]:
    orders = np.argsort(-scores.matrix, axis=1, kind="stable")[:, :top]
    return [
        [(scores.gallery[column], row[column]) for column in order]
        for row, order in zip(scores.matrix, orders, strict=True)
    ]


@pytest.mark.parametrize("correction", CORRECTIONS)
@pytest.mark.parametrize("most", [1, 5], ids=["pooled", "ragged"])
def test_what_is_found_is_what_the_whole_matrix_gives(correction, most, monkeypatch):
    monkeypatch.setattr(ranking, "_AT_ONCE", 41 * 7)
    texts, clips = _texts(_rows(1, 30, most)), _clips(_rows(2, 41, most))
    correct = correction(maxsim(_texts(_rows(3, 80)), clips))
    found = list(rank_corrected(texts, clips, correct, top=6))
    expected = _best(correct(maxsim(texts, clips)), 6)
    assert [[hit.id for hit in hits] for hits in found] == [
        [name for name, _ in each] for each in expected
    ]
    for hits, each in zip(found, expected, strict=True):
        assert [hit.score for hit in hits] == pytest.approx([score for _, score in each], abs=2e-6)
        assert [hit.span.end for hit in hits] == [float(hit.id[1:]) + 1 for hit in hits]


@pytest.mark.parametrize("correction", CORRECTIONS)
def test_blocks_of_given_scores_are_corrected_to_the_last_bit(correction):
    rng = np.random.default_rng(0)
    names = [f"v{n}" for n in range(20)]
    given, bank = (
        Scores([f"{n}" for n in range(count)], names, rng.normal(size=(count, 20)))
        for count in (33, 50)
    )
    before = given.matrix.copy()
    parts = list(adjust_blocks(given, correction(bank), queries=8))
    assert [rows for rows, _ in parts] == [slice(i, min(i + 8, 33)) for i in range(0, 33, 8)]
    whole = correction(bank)(given).matrix
    assert np.array_equal(np.concatenate([scores for _, scores in parts]), whole)
    assert np.array_equal(given.matrix, before)


@pytest.mark.parametrize("correct", [CSLS(), InvertedSoftmax(), Sinkhorn(), DualSoftmax()])
def test_a_transductive_correction_is_refused_at_once(correct):
    texts, clips = _texts(_rows(1, 3)), _clips(_rows(2, 4))
    with pytest.raises(ValueError, match="looks at all queries together"):
        rank_corrected(texts, clips, correct)


def test_another_gallery_is_refused():
    texts, clips = _texts(_rows(1, 3)), _clips(_rows(2, 4))
    bank = maxsim(texts, clips)
    with pytest.raises(ValueError, match="the same gallery, in the same order"):
        rank_corrected(texts, _clips(_rows(2, 5)), NNN(bank))


def test_dot_products_are_ranked_as_what_they_are():
    dots = replace(SPACE, metric="dot")
    # Clips of one direction, which only their lengths tell apart.
    rows = [length * _rows(2, 1)[0] for length in (1, 2, 3, 4)]
    texts, clips = _texts(_rows(1, 3), dots), _clips(rows, dots)
    correct = NNN(dot(texts, clips), neighbours=2)
    wanted = correct(dot(texts, clips)).matrix
    found = list(rank_corrected(texts, clips, correct, top=4))
    for row, hits in zip(wanted, found, strict=True):
        assert [hit.score for hit in hits] == pytest.approx(sorted(row, reverse=True))


def test_any_number_of_clips_can_be_asked_for():
    texts, clips = _texts(_rows(1, 3)), _clips(_rows(2, 4))
    correct = QBNorm(maxsim(_texts(_rows(3, 9)), clips))
    for top, count in ((0, 0), (2, 2), (99, 4)):
        found = rank_corrected(texts, clips, correct, top=top)
        assert [len(hits) for hits in found] == [count] * 3


def test_the_matrix_never_exists():
    count = 6000
    rows = np.random.default_rng(0).normal(size=(count, 1, 16)).astype(np.float32)
    texts, clips = _texts(list(rows)), _clips(list(rows))
    correct = NNN(maxsim(_texts(_rows(3, 100)), clips))
    tracemalloc.start()
    found = rank_corrected(texts, clips, correct, top=3)
    assert sum(len(hits) for hits in found) == 3 * count
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 0.6 * count * count * 4


@pytest.fixture
def library(tmp_path) -> Library:
    """Twelve videos of one to three clips."""
    folder = tmp_path / "videos"
    folder.mkdir()
    for number in range(12):
        (folder / f"{number}.mp4").write_bytes(b"%d" % number)
    made = Library.create(tmp_path / "library", LibraryCard("stub", SPACE, READ, READ, "windows:6"))
    info = VideoInfo(18.0, 320, 240, 450, "h264", "mov", has_sound=False)
    with made.writer() as writer:
        plan = writer.plan(scan((folder,), {".mp4"}))
        for place, video in enumerate(plan.decode):
            rows = np.concatenate(_rows(place, place % 3 + 1))
            unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
            spans = [Span(6.0 * n, 6.0 * n + 6) for n in range(len(rows))]
            clips = [Clip(clip_id(video.id, span), video.path, span) for span in spans]
            writer.add(video.record(info), clips, unit)
    return made


def test_a_library_is_corrected_with_training_captions(library):
    clips, captions = library.embeddings(), _texts(_rows(50, 40))
    assert (len(clips), clips.is_pooled) == (12, False)
    texts = _texts(_rows(60, 5))
    correct = QBNorm(maxsim(captions, clips))
    found = list(rank_corrected(texts, clips, correct, top=12))
    assert [[hit.id for hit in hits] for hits in found] == [
        [name for name, _ in each] for each in _best(correct(maxsim(texts, clips)), 12)
    ]
    plain = score_blocks(texts, clips).block(slice(0, 5))
    searched = [
        [moment.video for moment in search_vector(library, texts.rows(n), SPACE, READ, top=12)]
        for n in range(5)
    ]
    ids = np.array([clip.id for clip in clips.items])
    assert [list(ids[np.argsort(-row)]) for row in plain] == searched
    assert [[hit.id for hit in hits] for hits in found] != searched
