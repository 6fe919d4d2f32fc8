"""Search equals brute force, in order, with limits and filters."""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fixtures.shelf import search_vector
from moviola.core import FileCode, Readout, Space, SpaceMismatchError, StoreCorruptError
from moviola.library import Library, Snapshot, VideoFilter, scan
from moviola.retrieve.query import Query
from moviola.retrieve.ranking import rank_query

SUFFIXES = frozenset({".mp4"})


@pytest.fixture
def full(shelf):
    """Thirty videos of one to six clips; returns their vectors by video."""
    for number in range(30):
        shelf.put(f"{number:02d}.mp4")
    vectors: dict[str, np.ndarray] = {}
    with shelf.library.writer() as writer:
        for place, video in enumerate(writer.plan(scan([shelf.folder], SUFFIXES)).decode):
            info = replace(
                shelf.info,
                duration=3.0 + place,
                codec="h264" if place % 2 else "vp9",
                has_sound=place % 3 == 0,
            )
            count = 1 + place % 6
            vectors[video.id] = shelf.rows(video.id, count)
            writer.add(video.record(info), shelf.clips(video, count), vectors[video.id])
    return vectors


def ask(library, seed=1000, **options):
    query = np.random.default_rng(seed).standard_normal((1, 16))
    query = (query / np.linalg.norm(query)).astype(np.float32)
    card = library.card
    return query, search_vector(library, query, card.space, card.text_readout, **options)


@pytest.mark.parametrize("top", [1, 5, 30, 100])
def test_search_equals_brute_force(shelf, full, top):
    for number in range(20):
        query, moments = ask(shelf.library, number, top=top)
        best = {video: float((rows @ query[0]).max()) for video, rows in full.items()}
        wanted = sorted(best, key=lambda video: -best[video])[:top]
        assert [moment.video for moment in moments] == wanted
        scores = [moment.score for moment in moments]
        assert scores == pytest.approx([best[video] for video in wanted], abs=5e-4)


def test_moments_lie_in_their_video_around_their_best_clip(shelf, full):
    for number in range(20):
        query, moments = ask(shelf.library, number)
        for moment in moments:
            rows = full[moment.video]
            best = int((rows @ query[0]).argmax())
            assert 0 <= moment.start < moment.end <= 3 * (len(rows) - 1) + 6
            assert 3 * best <= moment.peak <= 3 * best + 6


def test_several_moments_of_one_video_do_not_overlap(shelf, full):
    per_video = ask(shelf.library, top=100, per_video=None)[1]
    limited = ask(shelf.library, top=100, per_video=1)[1]
    assert len(per_video) > len(limited) == 30
    assert [m.score for m in per_video] == sorted((m.score for m in per_video), reverse=True)
    spans: dict[str, list[tuple[float, float]]] = {}
    for moment in per_video:
        for start, end in spans.setdefault(moment.video, []):
            assert moment.end <= start or end <= moment.start
        spans[moment.video].append((moment.start, moment.end))


def test_results_do_not_depend_on_the_order_of_indexing(shelf, full, tmp_path):
    other = Library.create(tmp_path / "other", shelf.library.card)
    with other.writer() as writer:
        plan = writer.plan(scan([shelf.folder], SUFFIXES))
        for video in reversed(plan.decode):
            rows = full[video.id]
            writer.add(video.record(shelf.info), shelf.clips(video, len(rows)), rows)
            writer.commit()
    assert ask(shelf.library, per_video=None)[1] == ask(other, per_video=None)[1]


@pytest.mark.parametrize(
    ("filters", "admitted"),
    [
        (VideoFilter(), range(30)),
        (VideoFilter(shortest=20.0), range(17, 30)),
        (VideoFilter(longest=10.0), range(8)),
        (VideoFilter(has_sound=True), range(0, 30, 3)),
        (VideoFilter(codecs=frozenset({"vp9"}), longest=10.0), range(0, 8, 2)),
        (VideoFilter(codecs=frozenset({"x' OR 1=1 --"})), []),
        (VideoFilter(videos=frozenset()), []),
        (VideoFilter(below=Path("/nowhere")), []),
    ],
)
def test_filters_compare_values(shelf, full, filters, admitted):
    moments = ask(shelf.library, top=100, filters=filters)[1]
    assert sorted(int(moment.path.stem) for moment in moments) == list(admitted)


def test_filters_by_folder_id_and_missing_files(shelf, full):
    chosen = sorted(full)[:3]
    by_id = ask(shelf.library, top=100, filters=VideoFilter(videos=frozenset(chosen)))[1]
    assert sorted(moment.video for moment in by_id) == chosen
    assert len(ask(shelf.library, top=100, filters=VideoFilter(below=shelf.folder))[1]) == 30
    (shelf.folder / "07.mp4").unlink()
    shelf.index()
    # What is gone takes no place, unless somebody asks for it.
    assert len(ask(shelf.library, top=100)[1]) == 29
    assert len(ask(shelf.library, top=100, filters=VideoFilter())[1]) == 29
    everything = ask(shelf.library, top=100, filters=VideoFilter(missing=True))[1]
    assert [m.path.name for m in everything if m.missing] == ["07.mp4"]


def test_a_name_that_is_there_is_shown_rather_than_one_that_is_not(shelf):
    shelf.put("a.mp4", "same")
    shelf.put("b.mp4", "same")
    shelf.put("c.mp4")
    shelf.index()
    (shelf.folder / "a.mp4").unlink()
    shelf.index()
    found = {moment.path.name: moment.missing for moment in ask(shelf.library)[1]}
    assert found == {"b.mp4": False, "c.mp4": False}


def test_an_empty_library_finds_nothing(library):
    assert ask(library)[1] == []
    assert ask(library, top=0)[1] == []


def test_failures_are_not_found(shelf):
    shelf.put("a.mp4")
    shelf.index(fails=lambda _: FileCode.CORRUPT)
    assert ask(shelf.library)[1] == []


def test_equal_scores_come_in_a_fixed_order(shelf, card):
    for number in range(5):
        shelf.put(f"{number}.mp4")
    with shelf.library.writer() as writer:
        for video in writer.plan(scan([shelf.folder], SUFFIXES)).decode:
            writer.add(video.record(shelf.info), shelf.clips(video), shelf.rows("same", 2))
    moments = ask(shelf.library)[1]
    assert [moment.score for moment in moments] == pytest.approx([moments[0].score] * 5, abs=1e-6)
    assert len({(moment.band, moment.probability) for moment in moments}) == 1
    assert ask(Library.open(shelf.library.path))[1] == moments


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
def test_a_query_without_direction_is_an_error_not_an_empty_result(library, card, value):
    with pytest.raises(ValueError, match="query"):
        search_vector(library, np.full((1, 16), value, np.float32), card.space, card.text_readout)


@pytest.mark.parametrize("shape", [(16,), (2, 16), (1, 17), (0, 16)])
def test_a_query_is_one_row(library, card, shape):
    with pytest.raises(ValueError, match=r"shape \(1, 16\)"):
        search_vector(library, np.ones(shape, np.float32), card.space, card.text_readout)


def test_a_query_of_another_space_or_readout_is_refused(library, card):
    query = np.eye(1, 16, dtype=np.float32)
    with pytest.raises(SpaceMismatchError, match="space weights"):
        search_vector(library, query, replace(card.space, weights="w9"), card.text_readout)
    with pytest.raises(SpaceMismatchError, match="space model"):
        search_vector(library, query, Space.anonymous(16), card.text_readout)
    with pytest.raises(SpaceMismatchError, match="text readout preprocessing"):
        search_vector(library, query, card.space, Readout("resize 64"))


def test_a_calibration_gives_probabilities_and_their_bands(shelf, full, tmp_path, card):
    library = Library.create(tmp_path / "sure", replace(card, calibration=(20.0, -5.0)))
    with library.writer() as writer:
        for video in writer.plan(scan([shelf.folder], SUFFIXES)).decode:
            rows = full[video.id]
            writer.add(video.record(shelf.info), shelf.clips(video, len(rows)), rows)
    for moment in ask(library, top=30)[1]:
        wanted = 1 / (1 + np.exp(-(20 * moment.score - 5)))
        assert moment.probability == pytest.approx(wanted)
        band = "strong" if wanted >= 0.9 else "likely" if wanted >= 0.5 else "unsure"
        assert moment.band == band


def test_a_sharpness_on_the_card_moves_edges_and_neither_scores_nor_order(shelf, full, tmp_path):
    plain = shelf.library
    shutil.copytree(plain.path, tmp_path / "sharp")
    sharp = Library.open(tmp_path / "sharp")
    sharp.record_sharpness(15.0)
    moved = 0
    for number in range(20):
        one, other = (ask(library, number, top=30)[1] for library in (plain, sharp))
        assert [m.video for m in one] == [m.video for m in other]
        assert [m.score for m in one] == [m.score for m in other]
        assert [m.clip for m in one] == [m.clip for m in other]
        moved += [(m.start, m.end) for m in one] != [(m.start, m.end) for m in other]
    assert moved


def test_only_sentences_are_joined_sharply(shelf, full):
    plain = shelf.library.snapshot()
    sharp = replace(plain, sharpness=15.0)
    scores = np.random.default_rng(4).normal(size=(1, len(plain.spans))).astype(np.float32)

    def edges(query: Query, snapshot: Snapshot) -> list[tuple[float, float]]:
        found = rank_query(query, snapshot, scores, top=30, per_video=None, filters=None)
        return [(moment.start, moment.end) for moment in found]

    clip = bytes(plain.clips[0]).decode()
    assert edges(Query("a"), sharp) != edges(Query("a"), plain)
    for query in (Query("", like=clip), Query("a", like=clip), Query("a", unwanted=("b",))):
        assert edges(query, sharp) == edges(query, plain)


def test_a_library_shows_one_state_until_it_is_refreshed(shelf):
    shelf.put("a.mp4")
    shelf.index()
    reader = Library.open(shelf.library.path)
    assert len(ask(reader)[1]) == 1
    assert reader.refresh() is False
    shelf.put("b.mp4")
    shelf.index()
    assert len(ask(reader)[1]) == 1
    assert reader.refresh() is True
    assert len(ask(reader)[1]) == 2


def test_many_threads_may_search_one_library(shelf, full):
    reader = Library.open(shelf.library.path)
    wanted = ask(shelf.library)[1]
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(ask(reader)[1])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [wanted] * 8


def test_damaged_tables_are_told_and_do_not_crash_a_search(shelf, full):
    for file in (shelf.library.path / "clips.lance" / "data").iterdir():
        file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(StoreCorruptError, match="is damaged") as told:
        ask(Library.open(shelf.library.path))
    assert told.value.exit_code == 6
    assert str(shelf.library.path) in str(told.value)
