"""A library is calibrated on captions of its own videos."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from fixtures.shelf import SUFFIXES, unit_rows
from moviola.cli.app import app
from moviola.core import DatasetError
from moviola.library import Library, scan
from moviola.pipeline.calibrate import calibrate as module
from moviola.pipeline.calibrate.calibrate import calibrate
from moviola.retrieve.calibration.general import general_calibration
from moviola.retrieve.calibration.judges import BankJudge, judge_for
from moviola.retrieve.calibration.library_calibration import LibraryCalibration

if TYPE_CHECKING:
    import numpy as np

VIDEOS = 60


class Words:
    """An encoder whose captions are near their videos by as much as `strength` says."""

    def __init__(self, library: Library, rows: dict[str, np.ndarray], strength: float) -> None:
        self.space, self.text_readout = library.card.space, library.card.text_readout
        self.rows, self.strength = rows, strength

    def encode_texts(self, texts: list[str]) -> list[np.ndarray]:
        return [
            unit_rows(text, 1) + self.strength * self.rows.get(text.split()[-1], 0.0)
            for text in texts
        ]


@pytest.fixture
def filled(shelf, monkeypatch):
    """Sixty videos, and an encoder that finds what captions end with."""
    for number in range(VIDEOS):
        shelf.put(f"video{number:02d}.mp4")
    rows: dict[str, np.ndarray] = {}
    with shelf.library.writer() as writer:
        for video in writer.plan(scan([shelf.folder], SUFFIXES)).decode:
            rows[video.path.stem] = unit_rows(video.id, 1)
            writer.add(video.record(shelf.info), shelf.clips(video, 1), rows[video.path.stem])
    shelf.library.refresh()
    encoder = Words(shelf.library, rows, 1.2)
    monkeypatch.setattr(module, "load_aligned", lambda *_: encoder)
    return shelf.library, encoder


def _table(folder, captions: list[tuple[str, str]], head: str = "video,caption"):
    path = folder / "captions.csv"
    path.write_text("\n".join([head, *(f"{a},{b}" for a, b in captions)]) + "\n")
    return path


def _pairs(count: int = 2 * VIDEOS, videos: int = VIDEOS) -> list[tuple[str, str]]:
    names = [f"video{number % videos:02d}" for number in range(count)]
    return [(f"{name}.MP4", f"caption {place} of {name}") for place, name in enumerate(names)]


def test_a_calibration_is_fitted_measured_and_kept(filled, tmp_path):
    library, encoder = filled
    seen: list[tuple[int, int]] = []
    report = calibrate(
        _table(tmp_path, [*_pairs(), ("elsewhere.mp4", "a thing")]),
        library,
        on_progress=lambda *step: seen.append(step),
    )
    assert (report.captions, report.videos, report.unknown) == (120, 60, 1)
    assert seen[-1] == (120, 120)
    auc, error = report.figures["AUC"], report.figures["calibration error"]
    assert auc.low < auc.value < auc.high
    assert auc.value > 0.7
    assert error.value < 0.12
    kept = LibraryCalibration.read(library.path)
    assert kept.right.slope > 0
    assert (kept.holds is not None) == report.absent_said
    assert kept.measured["captions"] == 120
    judge = judge_for(library, encoder, library.snapshot())
    assert isinstance(judge, BankJudge)
    assert judge.calibration.right != general_calibration().right


def test_what_the_general_one_overrates_is_corrected(filled, tmp_path):
    library, encoder = filled
    # The right videos are exchanged pairwise for half of the captions: those hits are wrong.
    pairs = _pairs()
    half = [(f"video{59 - int(v[5:7]):02d}", text) for v, text in pairs[:60]]
    report = calibrate(_table(tmp_path, [*half, *pairs[60:]]), library)
    assert report.figures["calibration error"].value < report.before["calibration error"].value
    assert report.figures["calibration error"].value < 0.12
    assert report.figures["strong"].value == pytest.approx(0, abs=0.05)
    assert encoder.strength == 1.2


@pytest.mark.parametrize(("count", "videos"), [(49, 49), (100, 19), (0, 1)])
def test_too_few_pairs_are_refused_with_their_number(filled, tmp_path, count, videos):
    library, _ = filled
    path = _table(tmp_path, _pairs(count, videos))
    error: Any = ValueError if count else DatasetError
    with pytest.raises(error, match=r"50 captions of 20 videos|no rows"):
        calibrate(path, library)
    assert LibraryCalibration.read(library.path) is None


def test_captions_that_name_no_video_are_refused(filled, tmp_path):
    library, _ = filled
    with pytest.raises(DatasetError, match="column 'video'"):
        calibrate(_table(tmp_path, [("a", "b")] * 60, head="other,caption"), library)
    strangers = [(f"other{number}", f"text {number}") for number in range(60)]
    with pytest.raises(ValueError, match="60 more name no video"):
        calibrate(_table(tmp_path, strangers), library)


def test_an_encoder_that_finds_nothing_cannot_be_calibrated(filled, tmp_path):
    library, encoder = filled
    encoder.rows = {name: -row for name, row in encoder.rows.items()}
    with pytest.raises(ValueError, match="no caption finds its video"):
        calibrate(_table(tmp_path, _pairs()), library)


def test_the_command_says_what_was_measured(filled, tmp_path):
    library, _ = filled
    path = _table(tmp_path, _pairs())
    words = ["calibrate", "--captions", str(path), "--library", str(library.path)]
    said = CliRunner().invoke(app, words)
    assert said.exit_code == 0, said.output
    assert "95 % interval" in said.output
    assert "120 captions of 60 videos" in said.output
    found = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert found["figures"]["AUC"]["value"] > 0.7
