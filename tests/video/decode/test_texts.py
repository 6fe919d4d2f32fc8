"""Texts of containers: tracks of every codec with their times, tags, chapters, hostile ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.subtitled import Track, make_film
from moviola.core import Cue, FileCode, Span
from moviola.video import DecodePool, FileTexts, Limits, SideWants

CUES = [
    (0.4, 1.2, "Hello there"),
    (1.2, 2.0, "<i>second</i> line\nbelow"),
    (2.5, 3.5, "Ünïcode 出口 <script>"),
]
FRAME = 1 / 25


class Texts:
    """A listener that only wants texts."""

    wants = SideWants(texts=True)

    def __init__(self) -> None:
        self.found: FileTexts | None = None
        self.result = (FileCode.VANISHED, "")

    def begin(self, info) -> None:
        raise AssertionError(f"texts need no survey, such as {info}")

    def take(self, part) -> None:
        assert self.found is None
        self.found = part

    def end(self, code, message) -> None:
        self.result = (code, message)


def texts_of(pool: DecodePool, path: Path) -> FileTexts:
    listener = Texts()
    pool.read_side(path, listener)
    assert listener.result == (FileCode.OK, "")
    assert listener.found is not None
    return listener.found


@pytest.mark.parametrize("offset", [0.0, 2.0])
@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        (".mkv", "subrip"),
        (".mkv", "webvtt"),
        (".mkv", "ass"),
        (".webm", "webvtt"),
        (".mp4", "mov_text"),
        (".mov", "mov_text"),
    ],
)
def test_every_codec_yields_its_cues_on_the_clock_of_the_pictures(
    pool, tmp_path, suffix, codec, offset
):
    path = make_film(tmp_path / f"film{suffix}", [Track(codec, CUES, "ger")], offset=offset)
    found = texts_of(pool, path)
    (track,) = found.tracks
    assert (track.codec, track.language, found.left_out) == (codec, "ger", "")
    assert [cue.text for cue in track.cues] == [text for _, _, text in CUES]
    for cue, (start, end, _) in zip(track.cues, CUES, strict=True):
        assert abs(cue.span.start - start) <= FRAME
        assert abs(cue.span.end - end) <= FRAME


def test_several_tracks_keep_their_languages_and_titles(pool, tmp_path):
    tracks = [
        Track("subrip", CUES[:2], "eng", "For all"),
        Track("ass", CUES[2:], "und"),
        Track("subrip", [], "fre"),
    ]
    found = texts_of(pool, make_film(tmp_path / "film.mkv", tracks))
    assert [(track.codec, track.language, track.title) for track in found.tracks] == [
        ("subrip", "eng", "For all"),
        ("ass", None, ""),
        ("subrip", "fre", ""),
    ]
    assert [len(track.cues) for track in found.tracks] == [2, 1, 0]


@pytest.mark.parametrize("offset", [0.0, 2.0])
def test_tags_and_chapters_are_told(pool, tmp_path, offset):
    path = make_film(
        tmp_path / "film.mkv",
        metadata={"title": "A <b>day</b> out", "description": "x" * 10_000, "comment": "  "},
        chapters=[(0, 1.5, "Breakfast"), (1.5, 4, "Beach"), (2, 3, " ")],
        offset=offset,
    )
    told = texts_of(pool, path).container
    assert told.tags["title"] == "A <b>day</b> out"
    assert told.tags["description"] == "x" * 4096
    assert "comment" not in told.tags
    assert told.chapters == ((Span(0, 1.5), "Breakfast"), (Span(1.5, 4), "Beach"))


def test_a_film_without_texts_has_none(pool, tmp_path):
    found = texts_of(pool, make_film(tmp_path / "film.mp4"))
    assert found.tracks == found.container.chapters == ()


def test_too_many_and_too_long_cues_are_left_out_and_told(tmp_path):
    many = [(place / 100, place / 100 + 0.5, f"cue {place}") for place in range(300)]
    path = make_film(tmp_path / "film.mkv", [Track("subrip", [*many, (3.5, 4, "ü" * 9000)])])
    with DecodePool(1, replace(Limits(), max_cues=250)) as pool:
        found = texts_of(pool, path)
    assert sum(len(track.cues) for track in found.tracks) == 250
    assert "beyond the limits" in found.left_out
    with DecodePool(1, Limits()) as pool:
        found = texts_of(pool, path)
    assert found.tracks[0].cues[-1].text == "ü" * 4096
    assert found.left_out == "cues cut to 4096 characters: 1"
    with DecodePool(1, replace(Limits(), text_bytes=100)) as pool:
        assert len(texts_of(pool, path).tracks[0].cues) < 20


def test_cues_without_an_end_last_until_the_next_and_strange_bytes_are_replaced(pool, tmp_path):
    cues = [(0.5, 0.5, "a\0b"), (1.5, 1.5, "last"), (3.0, 3.5, "   ")]
    found = texts_of(pool, make_film(tmp_path / "film.mkv", [Track("subrip", cues)]))
    assert found.tracks[0].cues == (Cue(Span(0.5, 1.5), "ab"), Cue(Span(1.5, 6.5), "last"))


def test_a_broken_file_keeps_the_cues_before_the_break(pool, tmp_path):
    many = [(place / 10, place / 10 + 0.1, f"cue {place}") for place in range(40)]
    path = make_film(tmp_path / "film.mkv", [Track("subrip", many)])
    whole = len(texts_of(pool, path).tracks[0].cues)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 0 < len(texts_of(pool, path).tracks[0].cues) < whole


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "cues", "first"),
    [
        (
            "androidx_media/sample_with_srt.mkv",
            1,
            Cue(Span(0, 1.234), "This is the first subtitle."),
        ),
        (
            "torchcodec/nasa_13013.mp4",
            4,
            Cue(Span(0.21, 4.26), "NAR: This is the optical and science segment of the Webb"),
        ),
    ],
)
def test_the_provided_films_with_text_tracks_yield_their_cues(pool, shared_data, name, cues, first):
    found = texts_of(pool, shared_data / "videos" / name)
    assert {len(track.cues) for track in found.tracks} == {cues}
    assert found.tracks[0].cues[0] == first
