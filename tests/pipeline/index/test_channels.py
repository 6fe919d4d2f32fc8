"""Channels in an index run: beside the encoder, later alone, and each failing by itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import moviola
from fixtures.channels import Watcher
from fixtures.subtitled import Track, make_film
from moviola.core import FileCode, MissingExtraError, PluginNotFoundError, SpaceMismatchError
from moviola.library import Library
from moviola.pipeline.passages.adding import Estimate
from moviola.testing import EchoEncoder

ECHO = "moviola.testing:EchoEncoder"
CUES = [(0.5, 1.5, "hello <i>there</i>"), (2.0, 3.0, "good bye")]
STUB = "fixtures.channels:"


@pytest.fixture
def folder(tmp_path) -> Path:
    videos = tmp_path / "videos" / "Summer trip"
    videos.mkdir(parents=True)
    make_film(videos / "beach.mkv", [Track("subrip", CUES, "ger")], sound=True)
    make_film(videos / "IMG_2041.mp4", metadata={"title": "A day out"})
    (videos / "IMG_2041.fr.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nBonjour\n")
    return videos.parent


@pytest.fixture
def place(tmp_path) -> Path:
    return tmp_path / "lib"


def run(folder: Path, place: Path, *channels: str, **options):
    return moviola.index([folder], library=place, channels=channels, **{"model": ECHO, **options})


def said(place: Path, channel: str) -> dict[str, list[str]]:
    """Texts of a channel by the names of files."""
    library = Library.open(place)
    assert library.verify() == []
    return {
        record.path.name: [passage.text for passage in library.passages(record.id, channel)]
        for record in library.videos()
    }


def refuse(*_args, **_kwargs):
    raise AssertionError("something was encoded")


def test_subtitles_and_names_are_read_by_default(folder, place):
    report = run(folder, place)
    assert said(place, "subtitles") == {
        "beach.mkv": ["hello there", "good bye"],
        "IMG_2041.mp4": ["Bonjour"],
    }
    assert said(place, "names") == {
        "beach.mkv": ["beach", "Summer trip"],
        "IMG_2041.mp4": ["IMG_2041", "Summer trip", "A day out"],
    }
    languages = {p.text: p.language for p in Library.open(place).passages(channel="subtitles")}
    assert languages == {"hello there": "de", "good bye": "de", "Bonjour": "fr"}
    assert {each.channel: (each.videos, each.passages) for each in report.channels} == {
        "names": (2, 5),
        "subtitles": (2, 3),
    }
    known = {channel.name: channel for channel in Library.open(place).card.channels}
    assert known["subtitles"].version.startswith("subtitles:")


def test_channels_that_look_and_hear_are_read_in_the_encoders_pass(folder, place, monkeypatch):
    monkeypatch.setattr("moviola.video.DecodePool.read_side", refuse)
    run(folder, place, f"{STUB}Watcher", f"{STUB}Listener")
    brightness = said(place, "watcher")["beach.mkv"]
    assert len(brightness) == 8  # 4 s, one every half
    values = [int(text.split()[1]) for text in brightness]
    assert values == sorted(values)
    assert values[-1] > values[0] + 50
    assert said(place, "listener") == {
        "beach.mkv": ["4.0 seconds of sound"],
        "IMG_2041.mp4": [],
    }


def test_a_channel_added_later_encodes_nothing_and_finds_the_same(folder, place, monkeypatch):
    run(folder, place, f"{STUB}Watcher", f"{STUB}Listener")
    together = said(place, "watcher"), said(place, "listener")
    later = place.with_name("later")
    first = run(folder, later)
    monkeypatch.setattr(EchoEncoder, "encode_videos", refuse)
    told: list[Estimate] = []
    report = run(folder, later, f"{STUB}Watcher", f"{STUB}Listener", on_estimate=told.append)
    assert (said(later, "watcher"), said(later, "listener")) == together
    assert (report.skipped, report.clips) == (2, first.clips)
    (estimate,) = told
    assert (estimate.channels, estimate.videos) == (("listener", "watcher"), 2)
    assert estimate.film == pytest.approx(8, abs=0.2)
    assert estimate.seconds > 0 < estimate.bytes
    Watcher.asked.clear()
    run(folder, later, on_estimate=refuse)  # remembered, and nothing left to do
    assert Watcher.asked == []


def test_a_channel_that_hears_before_it_looks_is_never_stuck(folder, place):
    run(folder, place, f"{STUB}Both", workers=2)
    assert said(place, "both") == {
        "beach.mkv": ["4.0 seconds of sound", "100 pictures"],
        "IMG_2041.mp4": ["100 pictures"],
    }


def test_many_videos_and_few_bytes_in_waiting_are_never_stuck(folder, place, monkeypatch):
    from moviola.pipeline.passages import tools

    monkeypatch.setattr(tools, "PICTURE_BYTES", 1)
    monkeypatch.setattr(tools, "SOUND_BYTES", 1)
    for number in range(6):
        make_film(folder / f"{number}.mp4", seconds=2 + number / 5, sound=True)
    run(folder, place, f"{STUB}Watcher", f"{STUB}Both", workers=3, segment="windows:1/0.5")
    assert {len(texts) for texts in said(place, "both").values()} == {1, 2}
    assert all(said(place, "watcher").values())


def test_a_failing_channel_loses_nothing_else(folder, place):
    report = run(folder, place, f"{STUB}Failing", f"{STUB}Noting")
    assert (report.ok, report.failed) == (2, 0)
    assert said(place, "subtitles")["beach.mkv"]
    assert said(place, "failing") == {"beach.mkv": [], "IMG_2041.mp4": []}
    for record in Library.open(place).videos():
        failed, noted = record.mark_of("failing"), record.mark_of("noting")
        assert failed.code is FileCode.CHANNEL_ERROR
        assert failed.message == "the channel failed: ValueError"  # and no word of the video
        assert (noted.code, noted.message) == (FileCode.OK_PARTIAL, "half of it")
    counts = {each.channel: (each.partial, each.failed) for each in report.channels}
    assert counts["failing"] == (0, 2)
    assert counts["noting"] == (2, 0)
    (text,) = said(place, "noting")["beach.mkv"]
    assert text == "é" * 10_000  # composed, and cut


def test_failures_are_tried_again_when_asked_or_when_the_version_changes(
    folder, place, monkeypatch
):
    run(folder, place, f"{STUB}Failing")
    assert not run(folder, place).channels
    assert [each.channel for each in run(folder, place, retry=True).channels] == ["failing"]
    monkeypatch.setattr("fixtures.channels.Failing.version", "2")
    assert [each.videos for each in run(folder, place).channels] == [2]
    known = {channel.name: channel for channel in Library.open(place).card.channels}
    assert known["failing"].version == "2"


def test_what_changes_around_a_file_is_read_again(folder, place):
    run(folder, place, f"{STUB}Surroundings")
    assert said(place, "around")["beach.mkv"] == ["Summer trip/beach.mkv"]
    (folder / "Summer trip" / "beach.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nnew\n")
    counts = {each.channel: each.videos for each in run(folder, place).channels}
    assert counts == {"around": 1, "subtitles": 1}
    assert said(place, "subtitles")["beach.mkv"] == ["new", "hello there", "good bye"]
    shutil.copy(folder / "Summer trip" / "beach.mkv", folder / "copy.mkv")
    (folder / "Summer trip" / "IMG_2041.mp4").rename(folder / "renamed.mp4")
    run(folder, place)
    assert said(place, "names") == {
        "beach.mkv": ["beach", "Summer trip", "copy"],
        "renamed.mp4": ["renamed", "A day out"],
    }
    assert said(place, "subtitles")["renamed.mp4"] == []  # its file of subtitles is elsewhere


def test_a_channel_can_be_turned_off_for_good_and_on_again(folder, place):
    run(folder, place, without_channels=["subtitles"])
    assert said(place, "subtitles")["beach.mkv"] == []
    run(folder, place)
    assert said(place, "subtitles")["beach.mkv"] == []
    run(folder, place, "subtitles")
    assert said(place, "subtitles")["beach.mkv"] == ["hello there", "good bye"]
    run(folder, place, without_channels=["subtitles"])
    assert said(place, "subtitles")["beach.mkv"]  # what was read stays


def test_mistakes_are_told_before_anything_is_read(folder, place, monkeypatch):
    monkeypatch.setattr(EchoEncoder, "__init__", refuse)
    with pytest.raises(PluginNotFoundError, match="no channel is called 'writting'"):
        run(folder, place, "writting")
    with pytest.raises(ValueError, match="no channel is called 'title'"):
        run(folder, place, without_channels=["title"])
    with pytest.raises(ValueError, match="'names' is asked for and refused"):
        run(folder, place, "names", without_channels=["names"])
    with pytest.raises(TypeError, match="neither a channel nor something to call"):
        run(folder, place, f"{STUB}__name__")
    with pytest.raises(ValueError, match="two channels are called 'watcher'"):
        run(folder, place, f"{STUB}Watcher", f"{STUB}Watcher")
    assert not place.exists()


def test_a_channel_of_before_that_cannot_be_loaded_now_is_told_and_left_alone(
    folder, place, monkeypatch
):
    run(folder, place, f"{STUB}Watcher")
    before = said(place, "watcher")

    def lacking():
        raise MissingExtraError("it needs what is not installed")

    monkeypatch.setattr("fixtures.channels.Watcher", lacking)
    report = run(folder, place)
    assert "not read in this run: it needs what is not installed" in report.warnings[0]
    assert said(place, "watcher") == before
    with pytest.raises(MissingExtraError):
        run(folder, place, f"{STUB}Watcher")


def test_a_file_that_cannot_be_used_has_no_channels(folder, place):
    (folder / "broken.mp4").write_text("no film")
    (folder / "broken.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nnew\n")
    report = run(folder, place, f"{STUB}Watcher")
    assert (report.ok, report.failed) == (2, 1)
    broken = next(r for r in Library.open(place).videos() if r.path.name == "broken.mp4")
    assert broken.channels == ()


def test_a_library_without_a_model_has_words_and_no_vectors(folder, place, monkeypatch):
    monkeypatch.setattr(EchoEncoder, "__init__", refuse)
    (folder / "broken.mp4").write_text("no film")
    report = run(folder, place, f"{STUB}Watcher", model="none")
    assert (report.ok, report.failed, report.clips) == (2, 1, 0)
    assert said(place, "subtitles")["beach.mkv"] == ["hello there", "good bye"]
    assert len(said(place, "watcher")["beach.mkv"]) == 8
    library = Library.open(place)
    assert not library.card.has_vectors
    assert {record.info.duration for record in library.videos() if record.info} == {4.0}
    assert library.snapshot().records == []
    again = run(folder, place, f"{STUB}Listener", model=None)
    assert (again.ok, again.skipped) == (0, 3)
    assert said(place, "listener")["beach.mkv"] == ["4.0 seconds of sound"]


def test_with_and_without_a_model_are_different_libraries(folder, place, tmp_path):
    run(folder, place, model="none")
    with pytest.raises(SpaceMismatchError, match="--model none"):
        run(folder, place)
    run(folder, tmp_path / "seen")
    with pytest.raises(SpaceMismatchError):
        run(folder, tmp_path / "seen", model="none")
    with pytest.raises(ValueError, match="--head belongs to"):
        run(folder, tmp_path / "other", model="none", head=tmp_path)


def test_a_library_of_before_gets_its_words_without_being_encoded_again(folder, place, monkeypatch):
    run(folder, place, without_channels=["subtitles", "names"])
    library = Library.open(place)
    card = library.card
    library._rewrite(
        type(card)(**{**{f: getattr(card, f) for f in card.__slots__}, "channels": ()})
    )
    monkeypatch.setattr(EchoEncoder, "encode_videos", refuse)
    run(folder, place)
    assert said(place, "subtitles")["beach.mkv"] == ["hello there", "good bye"]
