"""A judge's scores become probabilities, fitted on captions of a library's videos."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import moviola
from moviola.cli.app import app
from moviola.core import Space, StoreCorruptError
from moviola.library.storage.state_files import JUDGE_CALIBRATIONS
from moviola.pipeline.calibrate.judge import calibrate_judge
from moviola.pipeline.search.reranking import rerank
from moviola.pipeline.search.search import open_library
from moviola.retrieve.bands import band_of
from moviola.retrieve.calibration.judge_calibration import (
    JudgeCalibration,
    JudgeCalibrations,
)
from moviola.testing import EchoEncoder

ECHO, TINT = "moviola.testing:EchoEncoder", "fixtures.judges:Tint"
VIDEOS = 20


@pytest.fixture(scope="module")
def colours():
    """Colours that differ within the corner of all colours that they belong to."""
    rng = np.random.default_rng(0)
    corners = [(number >> 2 & 1, number >> 1 & 1, number & 1) for number in range(8)]
    return [
        tuple(int(v) for v in 160 * np.array(corners[n % 8]) + rng.integers(10, 85, 3))
        for n in range(VIDEOS)
    ]


@pytest.fixture(scope="module")
def library(tmp_path_factory, colour_video, colours):
    folder = tmp_path_factory.mktemp("tints")
    for number, colour in enumerate(colours):
        colour_video(folder / f"v{number:02d}.mp4", colour, seconds=1)
    moviola.index([folder], library=folder / "library", model=ECHO, segment="whole")
    return folder / "library"


@pytest.fixture(scope="module")
def captions(tmp_path_factory, colours):
    """Three captions a video: a word that finds its corner, and its colour nearly."""
    rng = np.random.default_rng(1)
    path = tmp_path_factory.mktemp("captions") / "captions.csv"
    rows = ["video,caption"]
    for number, colour in list(enumerate(colours)) * 3:
        word = EchoEncoder._colours[int(np.dot(np.array(colour) > 127, (4, 2, 1)))]
        said = " ".join(str(int(v + rng.normal(0, 12))) for v in colour)
        rows.append(f"v{number:02d}.mp4,{word} {said}")
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.fixture(scope="module")
def report(library, captions):
    return calibrate_judge(captions, open_library(library), TINT, top=3, workers=1)


def test_what_is_kept_is_measured_on_videos_left_out(report, library):
    assert (report.captions, report.videos, report.unknown) == (60, VIDEOS, 0)
    assert report.judged == 180
    assert 0.2 < report.measures.right < 0.5
    assert report.measures.auc > 0.85
    kept = JudgeCalibrations.read(library).by_name[TINT]
    assert kept.measured["judged"] == 180
    assert kept.curve.weights[0] > 0


def test_a_judge_that_is_too_sure_is_corrected(report, library, captions):
    """Raw scores overrate, probabilities do not."""
    kept = JudgeCalibrations.read(library).by_name[TINT]
    assert kept.scale == "probability"
    assert report.measures.error < 0.12
    # What the judge is sure of at .9 is right less often than that.
    assert kept.probabilities(np.array([0.9]))[0] < 0.5


def test_moments_get_the_judge_s_probabilities_and_bands(report, library, captions):
    text = captions.read_text().splitlines()[1].partition(",")[2]
    found = moviola.search(text, library=library, top=3)
    kept = JudgeCalibrations.read(library)
    ranked = rerank(text, found, model=TINT, workers=1, calibrations=kept)
    for each in ranked:
        wanted = kept.by_name[TINT].probabilities(np.array([each.score]))[0]
        assert each.moment.probability == pytest.approx(wanted)
        assert each.moment.band == band_of(wanted)
    plain = rerank(text, found, model=TINT, workers=1)
    assert {each.moment for each in plain} == set(found)
    done = CliRunner().invoke(
        app, ["search", text, "--library", str(library), "--rerank", TINT, "--top", "3", "--json"]
    )
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert [each["probability"] for each in told] == pytest.approx(
        [each.moment.probability for each in ranked], abs=1e-5
    )


def test_another_model_of_the_name_has_no_calibration(report, library):
    kept = JudgeCalibrations.read(library)
    assert kept.of(TINT, Space("tint", "1", "facts", 1)) is not None
    assert kept.of(TINT, Space("tint", "2", "facts", 1)) is None
    assert kept.of("other", Space("tint", "1", "facts", 1)) is None


def test_the_command_keeps_other_judges(library, captions, report):
    done = CliRunner().invoke(
        app,
        f"calibrate --captions {captions} --library {library} --judge fixtures.judges:Cheap",
    )
    assert done.exit_code != 0
    assert JudgeCalibrations.read(library).by_name.keys() == {TINT}
    done = CliRunner().invoke(
        app, f"calibrate --captions {captions} --library {library} --judge {TINT} --top 2 --json"
    )
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["judged"] == 120


def test_what_is_no_judge_or_damaged_is_refused(library, captions, tmp_path):
    with pytest.raises(ValueError, match="no scores of pairs"):
        calibrate_judge(captions, open_library(library), ECHO)
    (tmp_path / JUDGE_CALIBRATIONS).write_text('{"schema": 99, "judges": {}}')
    with pytest.raises(StoreCorruptError, match="newer Moviola"):
        JudgeCalibrations.read(tmp_path)
    (tmp_path / JUDGE_CALIBRATIONS).write_text("{")
    with pytest.raises(StoreCorruptError, match="delete that file"):
        JudgeCalibrations.read(tmp_path)
    assert not JudgeCalibrations.read(tmp_path / "none").by_name


def test_scores_beyond_probabilities_are_taken_as_they_are():
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 3, 400)
    right = rng.random(400) < 1 / (1 + np.exp(-(2 * scores - 1)))
    fitted = JudgeCalibration.fit(scores, right, Space("a", "1", "w", 1))
    assert fitted.scale == "number"
    assert fitted.curve.weights[0] == pytest.approx(2, abs=0.6)
    with pytest.raises(ValueError, match="right"):
        JudgeCalibration.fit(scores, np.ones(400, bool), Space("a", "1", "w", 1))
