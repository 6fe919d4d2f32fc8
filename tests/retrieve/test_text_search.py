"""A library is searched by what is said, written and named in its videos."""

from __future__ import annotations

import shutil

import pytest

from moviola.core import Passage, Span, Word
from moviola.library import CACHE, ChannelReading, Library, scan
from moviola.retrieve.query import Query
from moviola.retrieve.search import search

SUFFIXES = frozenset({".mp4"})
TEXTS = {
    "a.mp4": [("subtitles", 1, 3, "the train leaves at noon"), ("names", 0, 9, "a")],
    "b.mp4": [("writing", 2, 5, "EXIT"), ("subtitles", 6, 8, "we should go")],
    "c.mp4": [("writing", 0, 2, "NO EXIT"), ("subtitles", 0, 2, "we should stay")],
    "d.mp4": [("names", 0, 9, "IMG_2041"), ("subtitles", 4, 6, "is this the exit")],
}


def fill(shelf, texts=TEXTS):
    for name in texts:
        shelf.put(name)
    with shelf.library.writer() as writer:
        for video in writer.plan(scan([shelf.folder], SUFFIXES)).decode:
            by_channel = {}
            for channel, start, end, text in texts[video.path.name]:
                passage = Passage(video.id, Span(start, end), text, channel)
                by_channel.setdefault(channel, []).append(passage)
            readings = [ChannelReading(c, "1", tuple(own)) for c, own in by_channel.items()]
            shelf.encode(writer, video, None, readings)


@pytest.fixture
def told(shelf):
    fill(shelf)
    return shelf


def find(shelf, words, **options):
    channels = options.pop("channels", None)
    query = Query.parse(words, then=options.pop("then", ()), channels=channels)
    return search(query, shelf.library, None, **options)


def names(moments):
    return [moment.path.name for moment in moments]


def test_every_hit_says_why(told):
    (moment, *_) = find(told, "exit")
    (reason,) = moment.why
    assert moment.path.name == "b.mp4"
    assert (reason.channel, reason.text, reason.start, reason.end) == ("writing", "EXIT", 2, 5)
    assert [word.text for word in reason.words] == ["EXIT"]
    assert (moment.start, moment.end) == (2, 5)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("written:exit", ["b.mp4", "c.mp4"]),
        ("said:exit", ["d.mp4"]),
        ("name:IMG_2041", ["d.mp4"]),
        ("name:IMG_2041 written:exit", []),
        ("written:exit said:stay", ["c.mp4"]),
        ("written:exit said:go", []),  # one after the other, not at once
        ("written:exit -written:no", ["b.mp4"]),
        ("exit -stay", ["b.mp4", "d.mp4"]),  # c: it is said meanwhile
        ("exit -stey", ["b.mp4", "c.mp4", "d.mp4"]),
        ("umbrella", []),
        ("written:umbrella", []),
    ],
)
def test_terms_of_channels_are_conditions(told, words, found):
    assert names(find(told, words)) == found


def test_channels_can_be_chosen(told):
    assert names(find(told, "exit", channels=["said"])) == ["d.mp4"]
    assert names(find(told, "exit", channels=["written"])) == ["b.mp4", "c.mp4"]
    assert find(told, "exit", channels=["named"]) == []
    assert find(told, "exit", channels=["seen"]) == []


def test_steps_follow_each_other(told):
    (moment,) = find(told, "written:exit", then=["we should go"])
    assert moment.path.name == "b.mp4"
    assert [(step.start, step.end) for step in moment.steps] == [(2, 5), (6, 8)]
    assert [reason.text for reason in moment.why] == ["EXIT", "we should go"]


def test_the_index_is_derived(told):
    folder = told.library.path / CACHE / "texts"
    before = [find(told, words) for words in ("exit", "the train", 'said:"we should"')]
    assert list(folder.glob("*.npz"))
    shutil.rmtree(folder)
    again = Library.open(told.library.path)
    after = [
        search(Query.parse(words), again, None)
        for words in ("exit", "the train", 'said:"we should"')
    ]
    assert after == before


def test_a_damaged_index_is_as_good_as_none(told):
    before = find(told, "exit")
    for path in (told.library.path / CACHE / "texts").glob("*.npz"):
        path.write_bytes(path.read_bytes()[:-200])
    assert search(Query.parse("exit"), Library.open(told.library.path), None) == before


def test_new_passages_are_found_and_old_ones_go(told):
    reader = Library.open(told.library.path)
    assert names(search(Query.parse("umbrella"), reader, None)) == []
    (video,) = [record.id for record in told.library.videos() if record.path.name == "a.mp4"]
    with told.library.writer() as writer:
        fresh = Passage(video, Span(5, 6), "an umbrella", "subtitles")
        writer.add_readings(video, [ChannelReading("subtitles", "2", (fresh,))])
        writer.commit()
        reader.refresh()
        assert names(search(Query.parse("umbrella"), reader, None)) == ["a.mp4"]
        assert names(search(Query.parse("train"), reader, None)) == []
    reader = Library.open(told.library.path)
    assert names(search(Query.parse("umbrella"), reader, None)) == ["a.mp4"]
    assert names(search(Query.parse("train"), reader, None)) == []


def test_a_reader_that_advances_finds_what_is_new(told):
    reader = Library.open(told.library.path)
    reader.advance()
    search(Query.parse("train"), reader, None)
    told.put("e.mp4")
    fill(told, {**TEXTS, "e.mp4": [("speech", 0, 4, "a new umbrella")]})
    assert reader.advance()
    assert names(search(Query.parse("umbrella"), reader, None)) == ["e.mp4"]


def test_moments_of_one_video_can_be_limited(shelf):
    lines = [("subtitles", n, n + 1, f"umbrella number {n}") for n in range(0, 9, 2)]
    fill(shelf, {"a.mp4": lines})
    (one,) = find(shelf, "umbrella")
    assert one.others == 4
    assert len(find(shelf, "umbrella", per_video=None)) == 5
    assert len(find(shelf, "umbrella", per_video=None, top=3)) == 3


def test_times_of_words_come_from_the_table(shelf):
    shelf.put("a.mp4")
    spoken = tuple(
        Word(word, Span(n, n + 0.5)) for n, word in enumerate(["the", "train", "leaves"])
    )
    with shelf.library.writer() as writer:
        (video,) = writer.plan(scan([shelf.folder], SUFFIXES)).decode
        passage = Passage(video.id, Span(0, 3), "the train leaves", "speech", words=spoken)
        shelf.encode(writer, video, None, [ChannelReading("speech", "1", (passage,))])
    for library in (shelf.library, Library.open(shelf.library.path)):
        (moment,) = search(Query.parse("train"), library, None)
        assert [(word.text, word.span) for word in moment.why[0].words] == [("train", Span(1, 1.5))]
    reader = Library.open(shelf.library.path)
    search(Query.parse("train"), reader, None)
    with shelf.library.writer() as writer:
        writer.tidy()  # rows may lie elsewhere now
    (moment,) = search(Query.parse("train"), reader, None)
    assert moment.why[0].words[0].span == Span(1, 1.5)
