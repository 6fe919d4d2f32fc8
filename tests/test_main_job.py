"""The main job with the shipped encoder: captioned videos in, the right moments out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import moviola
from moviola.core import Span
from moviola.experiments.demo.run import Truth
from moviola.library import Library
from moviola.synthetic import shapes
from moviola.synthetic.shapes import Claim, is_true

VIDEOS = 24
OUTSIDE = (
    "a dog on a skateboard",
    "two people cooking pasta",
    "a woman sings on a stage",
    "fireworks over a river",
    "the keynote of a conference",
    "a goal is scored",
    "cats",
    "how to tie a bow tie",
    "a train arrives at the station",
    "children blowing out birthday candles",
)


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("world")
    shapes.generate(root, seed=41, videos={"test": VIDEOS}, workers=2)
    return root


@pytest.fixture(scope="module")
def library(world) -> Library:
    report = moviola.index(
        [world / "videos"], library=world / "library", model="shapes", segment="windows:2/1"
    )
    assert (report.ok, report.failed) == (VIDEOS, 0)
    return moviola.open_library(world / "library")


def _lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _unique_moments(world: Path) -> list[dict]:
    """Queries for one shot that are true of exactly one video."""
    truth = Truth.read(world)
    return [
        line
        for line in _lines(world / "moments.jsonl")
        if len(truth.videos(Claim.from_json(line["asserted"]))) == 1
    ]


def _overlaps(moment: moviola.Moment, line: dict) -> bool:
    if moment.path.stem != line["vid"]:
        return False
    found = Span(moment.start, moment.end)
    return any(found.overlap(Span(*window)) > 0 for window in line["relevant_windows"])


def test_the_top_moment_of_a_held_out_caption_overlaps_its_truth(world, library):
    held_out = [line for line in _unique_moments(world) if line["held_out"]]
    assert len(held_out) >= 3, "the world should show some held-out combinations"
    right = [
        _overlaps(moviola.search(line["query"], library=library, top=1)[0], line)
        for line in held_out
    ]
    wrong = [line["query"] for line, is_right in zip(held_out, right, strict=True) if not is_right]
    assert len(wrong) <= 0.25 * len(held_out), wrong


def test_nearly_every_query_finds_its_moment_in_time(world, library):
    queries = _unique_moments(world)
    ious = []
    for line in queries:
        best = moviola.search(line["query"], library=library, top=1)[0]
        found = Span(best.start, best.end)
        truth = [Span(*window) for window in line["relevant_windows"]]
        hit = best.path.stem == line["vid"]
        ious.append(max(found.iou(span) for span in truth) if hit else 0.0)
    assert sum(iou >= 0.5 for iou in ious) >= 0.8 * len(ious)
    assert sum(iou >= 0.7 for iou in ious) >= 0.6 * len(ious)


def test_what_the_library_does_not_hold_comes_back_unsure(library):
    for query in OUTSIDE:
        moments = moviola.search(query, library=library, top=3)
        assert {moment.band for moment in moments} == {"unsure"}, query


def test_strong_hits_are_right(world, library):
    truth = Truth.read(world)
    strong = []
    for line in _lines(world / "moments.jsonl"):
        claim = Claim.from_json(line["asserted"])
        for moment in moviola.search(line["query"], library=library, top=2, per_video=1):
            if moment.band == "strong":
                shots = [shot for shot, _ in truth.shots[moment.path.stem]]
                strong.append(is_true(claim, shots))
    assert len(strong) >= 5
    assert sum(strong) >= 0.9 * len(strong)


def test_indexing_the_world_again_decodes_nothing(world, library):
    again = moviola.index([world / "videos"], library=library.path)
    assert (again.ok, again.skipped) == (0, VIDEOS)
