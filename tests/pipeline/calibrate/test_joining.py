"""The joining of windows is chosen on captions whose moments are known, and kept on the card."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from fixtures.shelf import INFO, SUFFIXES, unit_rows
from moviola.cli.app import app
from moviola.library import Library, scan
from moviola.pipeline.calibrate import calibrate as module
from moviola.pipeline.calibrate.calibrate import calibrate

VIDEOS, WINDOWS = 30, 10
#: Windows of 6 s every 3 s: one answers, half of it lies in its neighbours, a later shot looks
#: alike, and the rest is something else.
COSINES = np.array([0.3, 0.3, 0.3, 0.62, 0.95, 0.62, 0.8, 0.8, 0.8, 0.8], np.float32)


class _Directions:
    """An encoder whose captions score the windows of the video they name by `COSINES`."""

    def __init__(self, library: Library) -> None:
        self.space, self.text_readout = library.card.space, library.card.text_readout

    def encode_texts(self, texts: list[str]) -> list[np.ndarray]:
        return [unit_rows(text.split()[-1], 1) for text in texts]


def _rows(name: str, cosines: np.ndarray) -> np.ndarray:
    towards, others = unit_rows(name, 1)[0], unit_rows(f"{name}'s others", WINDOWS)
    others -= (others @ towards)[:, None] * towards
    others /= np.linalg.norm(others, axis=1, keepdims=True)
    return cosines[:, None] * towards + np.sqrt(1 - cosines**2)[:, None] * others


@pytest.fixture
def fill(shelf, monkeypatch):
    def fill(cosines: np.ndarray) -> Library:
        for number in range(VIDEOS):
            shelf.put(f"video{number:02d}.mp4")
        info = replace(INFO, duration=33.0)
        with shelf.library.writer() as writer:
            for video in writer.plan(scan([shelf.folder], SUFFIXES)).decode:
                rows = _rows(video.path.stem, cosines)
                writer.add(video.record(info), shelf.clips(video, WINDOWS), rows)
        shelf.library.refresh()
        monkeypatch.setattr(module, "load_aligned", lambda *_: _Directions(shelf.library))
        return shelf.library

    return fill


@pytest.fixture
def captions(tmp_path):
    def write(span: str):
        rows = [
            f"video{number % VIDEOS:02d}.mp4,caption {number} of video{number % VIDEOS:02d},{span}"
            for number in range(2 * VIDEOS)
        ]
        path = tmp_path / "captions.csv"
        path.write_text("\n".join(["video,caption,start,end", *rows]) + "\n")
        return path

    return write


def test_look_alikes_ask_for_a_sharper_joining_which_the_card_keeps(fill, captions):
    library = fill(COSINES)
    assert library.snapshot().sharpness == 0
    found = calibrate(captions("12,18"), library).joining
    assert (found.captions, found.before) == (2 * VIDEOS, 0)
    assert found.sharpness > 0
    assert found.right_before.value == 0
    assert found.right.value == 1
    assert library.snapshot().sharpness == found.sharpness
    assert Library.open(library.path).card.sharpness == found.sharpness


def test_what_is_no_better_changes_nothing(fill, captions):
    library = fill(np.array([0.3, 0.3, 0.3, 0.62, 0.95, 0.62, 0.3, 0.3, 0.3, 0.3], np.float32))
    found = calibrate(captions("12,18"), library).joining
    assert (found.sharpness, found.before) == (0, 0)
    assert found.right == found.right_before
    assert found.right.value == 1
    assert library.card.sharpness == 0


def test_captions_of_whole_videos_choose_no_joining(fill, captions):
    library = fill(COSINES)
    assert calibrate(captions(","), library).joining is None
    assert library.card.sharpness == 0


def test_the_command_tells_it_in_a_hundred_columns(fill, captions):
    library = fill(COSINES)
    words = ["calibrate", "--captions", str(captions("12,18")), "--library", str(library.path)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "windows are joined by exp(8 x score), kept on the card" in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 100
