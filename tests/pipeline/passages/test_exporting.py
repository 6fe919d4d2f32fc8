"""Passages as files: what is written is read back, and spreadsheets run none of it."""

from __future__ import annotations

import csv
import io

import pytest

from moviola.channels.subtitles.sidecars import read_sidecar
from moviola.channels.subtitles.styling import plain
from moviola.core import Passage, Span
from moviola.pipeline.passages.exporting import as_csv, as_srt, as_vtt

TEXTS = ["Hello", "two\nlines", "<b>1 < 2</b> & 3", "a --> b", "\n\ngap\n\nbelow", "=1+1"]


def passages() -> list[Passage]:
    return [
        Passage("v", Span(3600.0 + place, 3600.9996 + place), text, "said", "en", 0.5)
        for place, text in enumerate(TEXTS)
    ]


@pytest.mark.parametrize(("write", "name"), [(as_srt, "f.srt"), (as_vtt, "f.vtt")])
def test_what_is_written_is_read_back(write, name):
    cues, left_out = read_sidecar(name, write(passages()).encode())
    assert left_out == ""
    assert [cue.span for cue in cues] == [Span(3600 + n, 3601 + n) for n in range(len(TEXTS))]
    codec = "webvtt" if name.endswith("vtt") else "mov_text"
    assert [plain(cue.text, codec) for cue in cues] == [
        *("Hello", "two\nlines", "<b>1 < 2</b> & 3", "a -> b", "gap\nbelow", "=1+1"),
    ]
    assert write([]).strip() in ("", "WEBVTT")


def test_a_table_holds_everything_and_runs_nothing():
    hostile = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "=cmd|' /C calc'!A0"]
    found = [Passage("v", Span(0, 1.25), text, "said") for text in hostile]
    rows = list(csv.reader(io.StringIO(as_csv(found, {"v": "=film.mp4"}))))
    assert rows[0] == ["video", "channel", "start", "end", "text", "language", "confidence"]
    assert rows[1][:4] == ["'=film.mp4", "said", "0.000", "1.250"]
    assert [row[4] for row in rows[1:]] == [f"'{text}" for text in hostile]
    raw = list(csv.reader(io.StringIO(as_csv(found, {"v": "=film.mp4"}, raw=True))))
    assert [row[4] for row in raw[1:]] == hostile
    assert raw[1][0] == "=film.mp4"
