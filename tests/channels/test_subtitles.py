"""Subtitles: styling, rolling-up cues, encodings, hostile files."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from moviola.channels.subtitles import load
from moviola.channels.subtitles.joining import join
from moviola.channels.subtitles.languages import language_tag
from moviola.channels.subtitles.sidecars import LONGEST_CUE, MOST_CUES, decode, read_sidecar
from moviola.channels.subtitles.styling import plain
from moviola.core import Cue, Sidecar, Span, TextTrack, VideoInfo
from moviola.testing.channels import MemoryTools, check_channel

INFO = VideoInfo(60.0, 320, 240, 1500, "h264", "mov", has_sound=True)
SRT = "1\n00:00:01,000 --> 00:00:02,500\nHello\n\n2\n00:00:03,000 --> 00:00:04,000\nBye\n"


def passages(*files: Sidecar, tracks=(), info=INFO):
    tools = MemoryTools(tracks=tracks, files=files)
    return check_channel(load(), Path("film.mp4"), info, tools), tools.notes


def sidecar(data: bytes, name: str = "film.srt", language: str | None = None) -> Sidecar:
    return Sidecar(name, language, data)


@pytest.mark.parametrize(
    ("codec", "text", "shown"),
    [
        ("subrip", "<i>Hello</i> <b>you</b>\n<font color='red'>there</font>", "Hello you\nthere"),
        ("subrip", "{\\an8}up {laughs}", "up {laughs}"),
        ("subrip", "<script>x()</script> 1 < 2 &amp; 3", "<script>x()</script> 1 < 2 &amp; 3"),
        ("webvtt", "<v Mary>Hi</v> <c.red.big>red</c> &amp; &lt;b&gt;", "Hi red & <b>"),
        ("webvtt", "one <00:00:01.500>two", "one two"),
        ("webvtt", "<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("ass", "{\\pos(1,2)\\b1}Hi\\Nthere\\h{a comment}you", "Hi\nthere you"),
        ("ass", "{\\p1}m 0 0 l 100 100{\\p0}drawn", "drawn"),
        ("ass", "{\\p1}m 0 0 l 100 100", ""),
        ("mov_text", "<i>as it is</i> {\\x}", "<i>as it is</i> {\\x}"),
        ("subrip", " \u00a0 \n\t", ""),
    ],
)
def test_styling_is_removed_and_text_stays(codec, text, shown):
    assert plain(text, codec) == shown


def cue(start: float, end: float, text: str) -> Cue:
    return Cue(Span(start, end), text)


@pytest.mark.parametrize(
    ("cues", "joined"),
    [
        ([cue(0, 1, "a"), cue(1, 2, "a")], [cue(0, 2, "a")]),
        ([cue(0, 1, "a"), cue(5, 6, "a")], [cue(0, 1, "a"), cue(5, 6, "a")]),
        (  # layers of one line, and another line between them
            [cue(0, 2, "glow"), cue(0, 2, "other"), cue(0, 2, "glow")],
            [cue(0, 2, "glow"), cue(0, 2, "other")],
        ),
        (  # rolling up
            [cue(0, 2, "one\ntwo"), cue(2, 4, "two\nthree"), cue(4, 6, "three\nfour")],
            [cue(0, 2, "one\ntwo"), cue(2, 4, "three"), cue(4, 6, "four")],
        ),
        (  # word by word
            [cue(0, 1, "he"), cue(1, 2, "he said"), cue(2, 3, "he said so")],
            [cue(0, 3, "he said so")],
        ),
        ([cue(0, 1, "he"), cue(1, 2, "hello")], [cue(0, 1, "he"), cue(1, 2, "hello")]),
        ([cue(3, 4, "b"), cue(0, 1, "a")], [cue(0, 1, "a"), cue(3, 4, "b")]),
        ([], []),
    ],
)
def test_cues_that_repeat_grow_or_roll_up_are_joined(cues, joined):
    assert join(cues) == joined


@pytest.mark.parametrize(
    ("told", "tag"),
    [
        ("eng", "en"), ("ger", "de"), ("deu", "de"), ("en", "en"), ("pt-BR", "pt-BR"),
        ("zh_hant_tw", "zh-Hant-TW"), ("en.forced", "en"), ("forced.en", "en"), ("sdh", None),
        ("en.hi", "en"), ("hi", "hi"), ("und", None), ("", None), (None, None), ("Cut", None),
        ("xyz", None), ("es-419", "es-419"),
    ],
)  # fmt: skip
def test_languages_become_tags(told, tag):
    assert language_tag(told) == tag


TEXT = "1\n00:00:01,000 --> 00:00:02,000\nÜber den Flüssen wächst das Gras, größer als früher\n"


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "iso-8859-15"],
)
def test_encodings_are_detected(encoding):
    (found,), _ = passages(sidecar(TEXT.encode(encoding)))
    assert found.text == "Über den Flüssen wächst das Gras, größer als früher"


@pytest.mark.parametrize(
    ("encoding", "line"),
    [
        ("cp1251", "Съешь же ещё этих мягких французских булок да выпей чаю"),
        ("shift_jis", "こんにちは、世界の皆さん。今日はとても良い天気ですね。"),
        ("gb18030", "你好世界。今天的天气非常好。我们一起出去散步吧。"),
        ("cp1253", "Καλημέρα κόσμε, σήμερα είναι πολύ καλός καιρός"),
    ],
)
def test_legacy_code_pages_of_other_scripts_are_detected(encoding, line):
    cues = (f"{n}\n00:00:0{n},000 --> 00:00:0{n},900\n{line} {n}\n" for n in range(1, 9))
    text = "\n".join(cues)
    found, _ = passages(sidecar(text.encode(encoding)))
    assert found[0].text == f"{line} 1"


def test_formats_are_read_by_their_suffix():
    vtt = (
        "WEBVTT - a title\n\nSTYLE\n::cue { color: red }\n\nNOTE a comment\n\nintro\n"
        "00:01.000 --> 00:02.500 align:start\n<v Mary>Hello\n\nNOTE between\n\n2\n"
        "00:00:03.000 --> 00:00:04.000\nBye\n"
    )
    ass = (
        "[Script Info]\nScriptType: v4.00+\n\n[Events]\n"
        "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
        "Dialogue: 0,0:00:01.00,0:00:02.50,Default,,0,0,0,,{\\i1}Hello\n"
        "Comment: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,not shown\n"
        "Dialogue: 0,0:00:03.00,0:00:04.00,Default,,0,0,0,,Bye\n"
    )
    for name, text in (("f.srt", SRT), ("f.vtt", vtt), ("f.ass", ass), ("f.SRT", SRT)):
        found, notes = passages(sidecar(text.encode(), name))
        assert [(p.text, p.span) for p in found] == [
            ("Hello", Span(1, 2.5)),
            ("Bye", Span(3, 4)),
        ], name
        assert notes == []


def test_tracks_and_files_come_by_time_each_in_its_language_and_the_same_line_once():
    track = TextTrack("subrip", "eng", "", (cue(1, 2.5, "<i>Hello</i>"), cue(8, 9, "later")))
    twin = TextTrack("mov_text", None, "", (cue(1, 2.5, "Hello"),))
    german = sidecar(SRT.replace("Hello", "Hallo").encode(), "film.de.srt", "de")
    found, _ = passages(german, tracks=(twin, track))
    assert [(p.text, p.language) for p in found] == [
        ("Hallo", "de"),
        ("Hello", "en"),
        ("Bye", "de"),
        ("later", "en"),
    ]


def test_cues_past_the_end_are_cut_or_left_out():
    short = VideoInfo(3.5, 320, 240, 90, "h264", "mov", has_sound=True)
    late = SRT + "\n3\n00:00:09,000 --> 00:00:10,000\nlate\n"
    found, notes = passages(sidecar(late.encode()), info=short)
    assert [p.span for p in found] == [Span(1, 2.5), Span(3, 3.5)]
    assert notes[0] == "cues after the end of the video left out: 1"


def test_unusable_times_are_counted():
    text = (
        SRT
        + "\n3\n00:00:09,000 --> 00:00:08,000\ninverted\n"
        + "\n4\n-00:00:09,000 --> 00:00:10,000\nnegative\n"
        + "\n5\n00:00:11,000 --> 00:00:11,000\nempty\n"
        + "\n6\n00:00:12,000 --> 00:00:13,000\n--> - 5 is no time\n"
    )
    found, notes = passages(sidecar(text.encode()))
    assert [p.text for p in found] == ["Hello", "Bye", "--> - 5 is no time"]
    assert notes[0] == "cues without usable times left out: 3"


def test_zero_bytes_are_dropped():
    found, _ = passages(sidecar(SRT.replace("Hello", "He\0llo").encode()))
    assert found[0].text == "Hello"


@pytest.mark.parametrize(
    "data",
    [b"", b"\0" * 5000, bytes(range(256)) * 40, b"\xff\xfe", b"no subtitles", b"-->\n" * 1000],
)
@pytest.mark.parametrize("suffix", ["srt", "vtt", "ass"])
def test_what_is_no_file_of_subtitles_gives_no_passages(data, suffix):
    found, _ = passages(sidecar(data, f"film.{suffix}"))
    assert found == []


@pytest.mark.parametrize("suffix", ["srt", "vtt", "ass"])
def test_a_line_of_megabytes_is_cut_in_a_moment(suffix):
    head = "WEBVTT\n\n" if suffix == "vtt" else ""
    began = time.process_time()
    for filler in ("a", "<", "{", "--> ", "00:00:01,0"):
        data = head + SRT.replace(",", "." if suffix == "vtt" else ",").replace(
            "Hello", "Hello " + filler * (4_000_000 // len(filler))
        )
        found, _ = passages(sidecar(data.encode(), f"film.{suffix}"))
        assert all(len(p.text) <= LONGEST_CUE for p in found)
        assert len(found) == (0 if suffix == "ass" else 2)
    assert time.process_time() - began < 30


def test_a_hundred_thousand_cues_are_too_many_and_told():
    text = "".join(
        f"{n}\n00:{n // 6000 % 60:02d}:{n // 100 % 60:02d},{n % 100:02d}0 --> "
        f"00:{n // 6000 % 60:02d}:{n // 100 % 60:02d},{n % 100:02d}5\nline {n}\n\n"
        for n in range(100_000)
    )
    cues, left_out = read_sidecar("film.srt", text.encode())
    assert len(cues) == MOST_CUES
    assert left_out == f"cues beyond {MOST_CUES} left out: 50000"


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(ValueError, match="no text"):
        decode(bytes([0x81, 0x8D, 0x8F, 0x90, 0x9D, 0xFF, 0xFE, 0xC0, 0x02, 0x03]) * 500)
