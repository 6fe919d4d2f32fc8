"""What the page and the docs propose to ask is true of the worlds that they ask it of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from moviola.serve.indexing.process import DEMO_SEED, DEMO_VIDEOS
from moviola.serve.routes.status import EXAMPLES
from moviola.synthetic.shapes import Claim, Clause, Mention, draw, is_true
from moviola.synthetic.shapes.facts import COLOURS, SHAPES, SIZES
from moviola.synthetic.shapes.grammar import MOTION_WORDS

DOCS = Path(__file__).resolve().parents[2] / "docs"
WORLD = re.compile(r'generate\(Path\("world"\), seed=(\d+), videos=\{"test": (\d+)\}')
SEARCH = re.compile(r'moviola search "([^"]+)"(?: --then "([^"]+)")?.*--library world\.library')
MOTIONS = {words[0]: motion for motion, ways in MOTION_WORDS.items() for words in ways}


def world(seed: int, videos: int):
    """The shots of each video."""
    drawn = [draw(seed, "test", number) for number in range(videos)]
    return [[take.shot for take in video.takes] for video in drawn]


def clause_of(text: str) -> Clause:
    """What a simple sentence asserts; every word of it must be understood."""
    facts, left = {}, text
    for words, motion in sorted(MOTIONS.items(), key=lambda pair: -len(pair[0])):
        if words in left:
            facts["motion"], left = motion, left.replace(words, "")
            break
    for word in left.split():
        name = next(
            (
                name
                for name, among in (("shape", SHAPES), ("colour", COLOURS), ("size", SIZES))
                if word in among
            ),
            None,
        )
        assert name or word in ("a", "an"), f"{word!r} of {text!r} is no word of a world"
        if name:
            facts[name] = word
    return Clause(mentions=(Mention(**facts),))


def claim_of(*steps: str) -> Claim:
    wanted = [" ".join(w for w in step.split() if not w.startswith("-")) for step in steps]
    return Claim(tuple(clause_of(step) for step in wanted))


@pytest.mark.parametrize("text", EXAMPLES)
def test_the_demo_holds_what_its_page_proposes(text):
    claim = claim_of(*text.split(", then "))
    assert any(is_true(claim, shots) for shots in world(DEMO_SEED, DEMO_VIDEOS))


@pytest.mark.parametrize("page", ["tutorial.md", "explanations-trust.md"])
def test_the_worlds_of_the_docs_hold_what_is_asked_of_them(page):
    text = (DOCS / page).read_text(encoding="utf-8")
    ((seed, videos),) = WORLD.findall(text)
    shots = world(int(seed), int(videos))
    asked = SEARCH.findall(text)
    assert asked
    for steps in asked:
        claim = claim_of(*filter(None, steps))
        assert any(is_true(claim, video) for video in shots), steps


def test_a_thing_that_no_video_shows_is_noticed():
    shots = world(DEMO_SEED, DEMO_VIDEOS)
    claim = claim_of("a large red square")
    assert not any(is_true(claim, video) for video in shots)
