"""The demo tells in one line how well moments of its world are found."""

from __future__ import annotations

import re

import moviola
from moviola.experiments.demo.run import Truth, corpus_moments
from moviola.synthetic import shapes


def test_the_demo_tells_vcmr_of_its_own_world(tmp_path):
    shapes.generate(tmp_path, seed=41, videos={"test": 3})
    moviola.index(
        [tmp_path / "videos"],
        library=tmp_path / "library",
        model="shapes",
        segment="windows:2/1",
        workers=1,
    )
    truth = Truth.read(tmp_path)
    told = corpus_moments(moviola.open_library(tmp_path / "library"), truth)
    assert f"(VCMR, IoU 0.5 / 0.7), {len(truth.questions)} queries: R@1 " in told
    figures = [
        tuple(map(float, pair)) for pair in re.findall(r"R@\d+ ([\d.]+) / ([\d]+\.\d)", told)
    ]
    assert len(figures) == 4
    assert figures == sorted(figures)
    assert figures[0][0] >= figures[0][1] >= 60
