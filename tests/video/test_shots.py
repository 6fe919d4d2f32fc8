from __future__ import annotations

import numpy as np
import pytest

from moviola.core import FileCode, MissingExtraError, UniformSampler
from moviola.video import ShotSegmenter, shots

pytest.importorskip("scenedetect")


def test_shots_begin_where_the_picture_changes(studio, read, tmp_path):
    colours = [(200, 40, 40), (40, 60, 200), (230, 220, 60)]

    def draw(number):
        picture = np.empty((96, 160, 3), np.uint8)
        picture[:] = colours[number // 40]
        picture[30:60, number % 40 : number % 40 + 30] = 255  # something moves within a shot
        return picture

    path = studio.film(tmp_path / "v.mp4", 120, draw=draw)
    clips, done = read(path, ShotSegmenter(), UniformSampler(2))
    assert done.code is FileCode.OK
    assert [clip.span.start for clip in clips] == pytest.approx([0, 1.6, 3.2], abs=0.001)
    assert clips[-1].span.end == pytest.approx(4.8, abs=0.001)


def test_a_video_of_one_shot(studio, read, tmp_path):
    path = studio.film(tmp_path / "v.mp4", 30, draw=lambda _: np.full((96, 160), 99, np.uint8))
    clips, _ = read(path, ShotSegmenter())
    assert len(clips) == 1


def test_without_the_extra_the_message_holds_the_command(monkeypatch):
    monkeypatch.setattr(shots, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match="pip install"):
        ShotSegmenter()


@pytest.mark.parametrize("ratio", [0, -1, float("nan"), float("inf")])
def test_a_ratio_is_positive(ratio):
    with pytest.raises(ValueError, match="ratio"):
        ShotSegmenter(ratio)
