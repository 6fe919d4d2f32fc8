"""Phrases that stand in real videos, written down from looking at them, are found first."""

import csv
import shutil
from pathlib import Path

import pytest

import moviola
from moviola.core import Span
from moviola.library import Library

pytest.importorskip("rapidocr", reason="the extra ocr is not installed")

PHRASES = Path(__file__).parent / "phrases.csv"


@pytest.mark.shared
def test_phrases_of_real_videos_are_found_first(shared_data, tmp_path):
    with PHRASES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) >= 25
    for video in {row["video"] for row in rows}:
        copy = tmp_path / "videos" / video
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(shared_data / "videos" / video, copy)
    library = tmp_path / "library"
    moviola.index(
        tmp_path / "videos",
        library=library,
        model="none",
        channels=("writing",),
        without_channels=("names", "subtitles"),
    )
    wanted: dict[str, list[tuple[str, Span]]] = {}
    for row in rows:
        place = row["video"], Span(float(row["start"]), float(row["end"]))
        wanted.setdefault(row["phrase"], []).append(place)
    missed = []
    opened = Library.open(library)
    for phrase, places in wanted.items():
        found = moviola.search(f'written:"{phrase}"', library=opened, top=1)
        if not any(
            moment.path.as_posix().endswith(video)
            and Span(moment.start, moment.end).overlap(span) > 0
            for moment in found
            for video, span in places
        ):
            missed.append(phrase)
    assert len(missed) <= 0.2 * len(wanted), missed
