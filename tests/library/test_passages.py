"""Passages of a library: they come back as they went in, and go with their videos."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from moviola.core import Box, FileCode, Passage, Span, Word, passage_id
from moviola.library import ChannelReading, KnownChannel, Library, scan
from moviola.library.storage import writing
from moviola.library.storage.tables import Tables

SUFFIXES = frozenset({".mp4", ".mkv"})


def said(video: str, *texts: str, channel: str = "said", version: str = "1") -> ChannelReading:
    """One passage a text, a second long, one after another."""
    passages = tuple(
        Passage(video, Span(float(place), place + 1.0), text, channel)
        for place, text in enumerate(texts)
    )
    return ChannelReading(channel, version, passages)


@pytest.fixture
def two(shelf) -> tuple[str, str]:
    """The ids of two videos, by their names `a.mp4` and `b.mp4`."""
    shelf.put("a.mp4")
    shelf.put("b.mp4")
    shelf.index()
    ids = {record.path.name: record.id for record in shelf.library.videos()}
    return ids["a.mp4"], ids["b.mp4"]


def texts(library: Library, video: str | None = None, channel: str | None = None) -> list[str]:
    return [passage.text for passage in library.passages(video, channel)]


def test_a_passage_comes_back_as_it_went_in(shelf, two):
    whole = Passage(
        two[0],
        Span(0.1, 2.7),
        "Naïve 出口\0<script> 'quotes'",
        "writing",
        "pt-BR",
        0.1 + 0.2,
        (Word("Naïve", Span(0.1, 1 / 3)), Word("出口", Span(1 / 3, 2.7))),
        Box(0.1, 0.2, 1 / 3, 1.0),
    )
    bare = Passage(two[0], Span(3.0, 4.0), "bare", "writing")
    with shelf.library.writer() as writer:
        stored = writer.add_readings(two[0], [ChannelReading("writing", "v", (bare, whole))])
    assert shelf.library.passages() == [whole, bare]
    mark = stored.mark_of("writing")
    assert (mark.passages, mark.version, mark.code) == (2, "v", FileCode.OK)
    assert shelf.library.videos()[0].mark_of("said") is None
    assert {record.id: record for record in shelf.library.videos()}[two[0]] == stored
    assert shelf.library.verify() == []


def test_passages_come_by_video_and_time_and_can_be_chosen(shelf, two):
    early, late = sorted(two)
    with shelf.library.writer() as writer:
        writer.add_readings(late, [said(late, "x", "y")])
        writer.add_readings(early, [said(early, "p", "q"), said(early, "n", channel="named")])
    assert texts(shelf.library) == ["n", "p", "q", "x", "y"]
    assert texts(shelf.library, late) == ["x", "y"]
    assert texts(shelf.library, channel="named") == ["n"]
    assert texts(shelf.library, early, "said") == ["p", "q"]
    assert texts(shelf.library, "nobody") == []
    table = shelf.library.passage_table()
    assert table.column("text").to_pylist() == texts(shelf.library)
    assert table.column("id").to_pylist() == [passage_id(p) for p in shelf.library.passages()]
    assert shelf.library.passage_table(["text"]).column_names == [
        *("video", "channel", "start", "end", "text"),
    ]


def test_the_same_passage_twice_is_one(shelf, two):
    twice = said(two[0], "a", "b")
    with shelf.library.writer() as writer:
        stored = writer.add_readings(
            two[0], [replace(twice, passages=(*twice.passages, *twice.passages))]
        )
    assert stored.mark_of("said").passages == 2
    assert shelf.library.verify() == []


def test_reading_a_channel_again_replaces_its_passages_and_no_others(shelf, two):
    with shelf.library.writer() as writer:
        writer.add_readings(two[0], [said(two[0], "old", "older"), said(two[0], "n", channel="x")])
        writer.add_readings(two[1], [said(two[1], "other")])
    with shelf.library.writer() as writer:
        writer.add_readings(two[0], [said(two[0], "new", version="2")])
    assert sorted(texts(shelf.library)) == ["n", "new", "other"]
    with shelf.library.writer() as writer:
        failed = ChannelReading("said", "3", (), FileCode.TIMEOUT, "it took too long")
        stored = writer.add_readings(two[0], [failed])
    assert sorted(texts(shelf.library)) == ["n", "other"]
    assert stored.mark_of("said").code is FileCode.TIMEOUT
    assert shelf.library.verify() == []
    assert shelf.library.status().clips == 4


def test_reading_the_same_again_writes_no_passages(shelf, two):
    for version in ("1", "2"):
        with shelf.library.writer() as writer:
            writer.add_readings(two[0], [said(two[0], "a", "b", version=version)])
    tables = shelf.library._reader.tables
    assert tables.passages.count_rows() == 2
    assert len(tables.passages.list_versions()) == 3  # made, keyed, added once
    assert (
        shelf.library.videos()[[r.id for r in shelf.library.videos()].index(two[0])]
        .mark_of("said")
        .version
        == "2"
    )


def test_a_video_and_its_channels_are_committed_together(shelf, monkeypatch):
    shelf.put("a.mp4")
    with shelf.library.writer() as writer:
        (video,) = writer.plan(scan([shelf.folder], SUFFIXES)).decode
        monkeypatch.setattr(writing, "BATCH_CLIPS", 1)  # so that `add` commits by itself
        shelf.encode(writer, video, None, [said(video.id, "hello")])
        seen = Library.open(shelf.library.path)
        assert texts(seen) == ["hello"]
        assert seen.videos()[0].mark_of("said").passages == 1


def test_many_passages_are_a_batch_of_their_own(shelf, two, monkeypatch):
    monkeypatch.setattr(writing, "BATCH_PASSAGES", 3)
    with shelf.library.writer() as writer:
        writer.add_readings(two[0], [said(two[0], "a", "b")])
        assert texts(Library.open(shelf.library.path)) == []
        writer.add_readings(two[1], [said(two[1], "c")])
        assert sorted(texts(Library.open(shelf.library.path))) == ["a", "b", "c"]


def test_strange_passages_are_refused(shelf, two):
    with shelf.library.writer() as writer:
        with pytest.raises(ValueError, match="was handed in with"):
            writer.add_readings(two[0], [said(two[1], "a")])
        with pytest.raises(ValueError, match="was handed in with"):
            writer.add_readings(two[0], [replace(said(two[0], "a"), channel="other")])
        with pytest.raises(ValueError, match="has no passages"):
            writer.add_readings(two[0], [replace(said(two[0], "a"), code=FileCode.CORRUPT)])
        with pytest.raises(KeyError, match="no video"):
            writer.add_readings("nobody", [said("nobody", "a")])
    assert texts(shelf.library) == []


def test_passages_follow_their_video(shelf, two):
    with shelf.library.writer() as writer:
        for video in two:
            writer.add_readings(video, [said(video, f"in {shelf.library.path.name}")])
    shelf.put("copy.mp4", "a.mp4")
    (shelf.folder / "b.mp4").rename(shelf.folder / "moved.mp4")
    shelf.index()
    assert len(texts(shelf.library)) == 2  # a copy has the content, and what is said in it
    for name in ("a.mp4", "copy.mp4"):
        with shelf.library.writer() as writer:
            writer.forget([shelf.folder / name])
    assert len(texts(shelf.library)) == 1  # hidden at once
    with shelf.library.writer() as writer:
        writer.restore()
    assert len(texts(shelf.library)) == 2
    with shelf.library.writer() as writer:
        writer.forget([shelf.folder / "a.mp4", shelf.folder / "copy.mp4"])
    with shelf.library.writer() as writer:
        writer.tidy()
    assert texts(shelf.library) == [f"in {shelf.library.path.name}"]
    assert shelf.library._reader.tables.passages.count_rows() == 1
    (shelf.folder / "moved.mp4").unlink()
    shelf.index()
    assert len(texts(shelf.library)) == 1  # missing, and kept like the clips
    assert shelf.library.verify() == []


def test_a_video_that_fails_now_loses_its_passages(shelf, two):
    with shelf.library.writer() as writer:
        writer.add_readings(two[0], [said(two[0], "a")])
    record = next(r for r in shelf.library.videos() if r.id == two[0])
    with shelf.library.writer() as writer:
        writer.fail(replace(record, code=FileCode.CORRUPT, channels=()))
    assert texts(shelf.library) == []
    assert shelf.library._reader.tables.passages.count_rows() == 0
    assert shelf.library.verify() == []


def test_damage_to_passages_is_found(shelf, two):
    with shelf.library.writer() as writer:
        writer.add_readings(two[0], [said(two[0], "wholesome words", "and more of them")])
    (file,) = (shelf.library.path / "passages.lance" / "data").iterdir()
    sound = file.read_bytes()
    for word in (b"wholesome", b"said", two[0].encode()):
        spoilt = bytearray(sound)
        spoilt[sound.index(word) + 1] ^= 2
        file.write_bytes(spoilt)
        (problem, *_) = Library.open(shelf.library.path).verify()
        assert "passage" in problem.what
        assert len(texts(Library.open(shelf.library.path))) < 2
    file.write_bytes(sound)
    library = Library.open(shelf.library.path)
    assert library.verify() == []
    tables = Tables.open(shelf.library.path)
    tables.prepare_to_write()
    tables.delete(tables.passages, "text", ["wholesome words"])
    tables.seal()
    (problem,) = Library.open(shelf.library.path).verify(deep=True)
    assert "has 1 passages, its record promises 2" in problem.what
    assert problem.video == two[0]


def test_the_card_names_channels_with_their_versions(shelf):
    with shelf.library.writer():
        first = KnownChannel("said", "1", "said")
        named = KnownChannel("named", "1", "my:Named")
        shelf.library.record_channels([first, named])
        shelf.library.record_channels([replace(first, version="2")])
    assert Library.open(shelf.library.path).card.channels == (named, replace(first, version="2"))
    assert shelf.library.verify() == []


def test_a_hundred_thousand_passages_are_read_in_order(shelf, two):
    rng = np.random.default_rng(0)
    for video in two:
        starts = rng.uniform(0, 7200, 50_000)
        passages = tuple(
            Passage(video, Span(start, start + 1), f"line {place}", "said")
            for place, start in enumerate(starts.tolist())
        )
        with shelf.library.writer() as writer:
            writer.add_readings(video, [ChannelReading("said", "1", passages)])
    table = shelf.library.passage_table()
    assert table.num_rows == 100_000
    owners = np.array(table.column("video").to_pylist())
    starts = table.column("start").to_numpy()
    for video in two:
        assert (np.diff(starts[owners == video]) >= 0).all()
    assert (np.sort(owners) == owners).all()
