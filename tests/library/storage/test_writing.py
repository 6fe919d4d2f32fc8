"""Adding videos: what is refused, batches, idempotence, full disks, housekeeping."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from fixtures.shelf import search_vector
from moviola.core import Clip, FileCode, Space, Span, StorageError, clip_id
from moviola.library import Library, scan
from moviola.library.storage import writing

SUFFIXES = frozenset({".mp4"})


@pytest.fixture
def video(shelf):
    """One planned video, not yet added."""
    shelf.put("a.mp4")
    with shelf.library.writer() as writer:
        (planned,) = writer.plan(scan([shelf.folder], SUFFIXES)).decode
    return planned


@contextmanager
def full_disk(room: int) -> Iterator[None]:
    """No file can grow beyond `room` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda rows: np.where(np.arange(16) == 3, np.nan, rows), "not finite"),
        (lambda rows: np.where(np.arange(16) == 3, np.inf, rows), "not finite"),
        (lambda rows: rows * np.array([[1], [0]], np.float32), "length 0"),
        (lambda rows: rows * 1.01, "length 1.01"),
        (lambda rows: rows * 1e-30, "unit length"),
        (lambda rows: rows * 1e30, "unit length"),
    ],
)
def test_vectors_that_cannot_be_compared_fail_their_video(shelf, video, spoil, words):
    with shelf.library.writer() as writer, np.errstate(all="ignore"):
        rows = spoil(shelf.rows("a", 2)).astype(np.float32)
        stored = writer.add(video.record(shelf.info), shelf.clips(video), rows)
    assert (stored.code, stored.clips) == (FileCode.BAD_EMBEDDING, 0)
    assert words in stored.message
    (record,) = shelf.library.failures()
    assert record == stored
    assert shelf.library.status().clips == 0
    assert shelf.library._reader.tables.clips.count_rows() == 0


def test_norms_count_where_the_metric_is_dot(tmp_path, card, shelf, video):
    library = Library.create(
        tmp_path / "dot", replace(card, space=Space("stub", "r", "w", 16, "dot"))
    )
    rows = shelf.rows("a", 2) * np.array([[3.25], [0]], np.float32)
    with library.writer() as writer:
        writer.add(video.record(shelf.info), shelf.clips(video), rows)
    query = shelf.rows("a", 1) * 2
    (moment,) = search_vector(library, query, library.card.space, card.text_readout)
    assert moment.score == pytest.approx(6.5)


@pytest.mark.parametrize("shape", [(2, 15), (2, 17), (1, 16), (3, 16), (2, 16, 1), (32,)])
def test_shapes_that_do_not_fit_are_told(shelf, video, shape):
    with (
        shelf.library.writer() as writer,
        pytest.raises(ValueError, match=r"need vectors of shape \(2, 16\)"),
    ):
        writer.add(video.record(shelf.info), shelf.clips(video), np.ones(shape, np.float32))


def test_a_video_needs_clips_of_its_own(shelf, video):
    span = Span(0, 6)
    twice = [Clip(clip_id(video.id, span), video.path, span)] * 2
    strange = [Clip("x", video.path, Span(0, 6)), Clip("y", video.path, Span(3, 9))]
    rows = shelf.rows("a", 2)
    record = video.record(shelf.info)
    with shelf.library.writer() as writer:
        for clips, vectors, words in (
            ([], rows[:0], "at least one clip"),
            (twice, rows, "same span"),
            (strange, rows, "clip_id"),
        ):
            with pytest.raises(ValueError, match=words):
                writer.add(record, clips, vectors)
        with pytest.raises(ValueError, match="use fail"):
            writer.add(video.failure(FileCode.CORRUPT, "x"), shelf.clips(video), rows)
        with pytest.raises(ValueError, match="use add"):
            writer.fail(record)
    assert shelf.library.videos() == []


def test_adding_the_same_again_changes_nothing(shelf, video):
    rows = shelf.rows("a", 2)
    for _ in range(2):
        with shelf.library.writer() as writer:
            writer.add(video.record(shelf.info), shelf.clips(video), rows)
            writer.add(video.record(shelf.info), shelf.clips(video), rows)
    tables = shelf.library._reader.tables
    assert tables.clips.count_rows() == 2
    assert len(tables.clips.list_versions()) == 3  # made, keyed, added once
    assert shelf.library.verify() == []


def test_other_clips_of_the_same_content_replace_the_old_ones(shelf, video):
    with shelf.library.writer() as writer:
        writer.add(video.record(shelf.info), shelf.clips(video, 4), shelf.rows("a", 4))
    with shelf.library.writer() as writer:
        writer.add(video.record(shelf.info), shelf.clips(video, 3), shelf.rows("b", 3))
    assert shelf.library.status().clips == 3
    assert shelf.library.verify() == []
    with shelf.library.writer() as writer:
        writer.fail(video.failure(FileCode.TIMEOUT, "slow"))
    assert shelf.library.status().clips == 0
    assert shelf.library._reader.tables.clips.count_rows() == 0


def test_a_video_comes_back_as_it_went_in(shelf, video):
    info = replace(shelf.info, created="2026-01-01T00:00:00Z", duration=8.25)
    with shelf.library.writer() as writer:
        stored = writer.add(
            video.record(info, FileCode.OK_PARTIAL), shelf.clips(video), shelf.rows("a", 2)
        )
    (record,) = shelf.library.videos()
    assert record == stored
    assert (record.info, record.code, record.clips) == (info, FileCode.OK_PARTIAL, 2)
    assert record.names[0].root == shelf.folder


@pytest.mark.parametrize("name", [b"caf\xe9.mp4", b"a\nb.mp4", "\u202egnp.mp4".encode(), b"-x.mp4"])
def test_hostile_names_come_back_byte_for_byte(shelf, card, name):
    path = shelf.put(name)
    shelf.index()
    assert [record.path for record in shelf.library.videos()] == [path]
    (moment,) = search_vector(shelf.library, shelf.rows("q", 1), card.space, card.text_readout)
    assert moment.path == path
    assert shelf.library.verify() == []
    shelf.index(fails=lambda _: pytest.fail("decoded again"))


def test_a_batch_is_committed_when_it_is_large_or_old(shelf, monkeypatch):
    for number in range(6):
        shelf.put(f"{number}.mp4")
    done: list[int] = []
    monkeypatch.setattr(writing, "BATCH_CLIPS", 4)
    with shelf.library.writer(on_commit=lambda ids: done.append(len(ids))) as writer:
        videos = writer.plan(scan([shelf.folder], SUFFIXES)).decode
        for video in videos[:5]:
            shelf.encode(writer, video)
        assert done == [2, 2]
        monkeypatch.setattr(writing, "BATCH_SECONDS", 0.0)
        shelf.encode(writer, videos[5], FileCode.EMPTY)
        assert done == [2, 2, 2]
        assert writer.commit() == ()
    assert done == [2, 2, 2]


def test_what_was_added_before_an_error_is_kept(shelf):
    shelf.put("a.mp4")

    def run():
        with shelf.library.writer() as writer:
            for video in writer.plan(scan([shelf.folder], SUFFIXES)).decode:
                shelf.encode(writer, video)
            raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        run()
    assert Library.open(shelf.library.path).status().clips == 2


def test_clips_without_a_marker_are_dropped_and_never_shown(shelf, video, monkeypatch, card):
    with shelf.library.writer() as writer:
        shelf.encode(writer, video)
        real = writer._tables.upsert

        def stop(table, rows):
            if table is writer._tables.videos:
                raise StorageError("stop here")
            real(table, rows)

        monkeypatch.setattr(writer._tables, "upsert", stop)
        with pytest.raises(StorageError):
            writer.commit()
        monkeypatch.undo()
        writer._batch._changed.clear()  # as if it had been killed
    reader = Library.open(shelf.library.path)
    assert reader._reader.tables.clips.count_rows() == 2
    assert search_vector(reader, shelf.rows("q", 1), card.space, card.text_readout) == []
    assert reader.verify() == []
    with reader.writer():
        pass
    assert reader._reader.tables.clips.count_rows() == 0


@pytest.mark.parametrize("room", [0, 100, 600, 1_200, 2_400, 3_600, 4_800])
def test_a_full_disk_loses_nothing_and_can_be_continued(shelf, room):
    for number in range(8):
        shelf.put(f"{number}.mp4")
    acknowledged: list[str] = []
    with shelf.library.writer(on_commit=acknowledged.extend) as writer:
        videos = writer.plan(scan([shelf.folder], SUFFIXES)).decode
        for video in videos[:4]:
            shelf.encode(writer, video)
        writer.commit()
        for video in videos[4:]:
            writer.add(video.record(shelf.info), shelf.clips(video, 30), shelf.rows(video.id, 30))
        with full_disk(room), pytest.raises(StorageError, match="no room") as told:
            writer.commit()
        assert str(shelf.library.path) in str(told.value)
        assert ".rs:" not in str(told.value)  # whose sources these are helps nobody
        assert told.value.exit_code == 8
        reader = Library.open(shelf.library.path)
        assert reader.verify() == []
        assert {record.id for record in reader.videos()} == set(acknowledged)
        writer.commit()  # space was freed
        assert len(acknowledged) == 8
    assert shelf.library.status().clips == 4 * 2 + 4 * 30
    assert shelf.library.verify() == []
    assert shelf.index().skipped == 8


def test_a_full_disk_while_opening_for_writing_is_a_storage_error(shelf):
    shelf.put("a.mp4")
    with full_disk(0), pytest.raises(StorageError):
        shelf.index()
    shelf.index()
    assert shelf.library.status().clips == 2


def test_files_and_versions_stay_bounded(shelf):
    for number in range(40):
        shelf.put(f"{number}.mp4")
    with shelf.library.writer() as writer:
        for video in writer.plan(scan([shelf.folder], SUFFIXES)).decode:
            shelf.encode(writer, video)
            writer.commit()
    data = list((shelf.library.path / "clips.lance" / "data").iterdir())
    tables = shelf.library._reader.tables
    assert len(list((shelf.library.path / "clips.lance" / "_versions").glob("*.manifest"))) <= 48
    assert tables.clips.stats()["fragment_stats"]["num_fragments"] == 1
    assert len(data) <= 41  # versions of the last two minutes may still be read
    assert shelf.library.verify() == []


def test_half_precision_finds_what_single_precision_finds():
    """Recall@10 of vectors stored in float16, over clustered vectors of 256 dimensions."""
    rng = np.random.default_rng(2)
    centres = rng.standard_normal((40, 256))
    rows = (centres[rng.integers(0, 40, 4000)] + 0.7 * rng.standard_normal((4000, 256))).astype(
        np.float32
    )
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    stored = rows.astype(np.float16).astype(np.float32)
    stored /= np.linalg.norm(stored, axis=1, keepdims=True)
    queries = rows[:200] + 0.05 * rng.standard_normal((200, 256)).astype(np.float32)
    exact = np.argsort(-queries @ rows.T)[:, :10]
    found = np.argsort(-queries @ stored.T)[:, :10]
    recall = np.mean([len({*a} & {*b}) / 10 for a, b in zip(exact, found, strict=True)])
    assert recall >= 0.99
    assert np.abs(queries @ rows.T - queries @ stored.T).max() < 5e-4
