from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moviola.synthetic.shapes import Claim, Clause, Mention, Shot, Thing, is_true
from moviola.synthetic.shapes.facts import (
    BACKGROUNDS,
    CAMERAS,
    COLOURS,
    MOTIONS,
    SHAPES,
    SIZES,
    code_facts,
    holds,
    is_held_out,
    true_videos,
    truth_matrix,
)

# Few values, so that claims are true often enough to test both answers.
things = st.builds(
    Thing,
    shape=st.sampled_from(SHAPES[:2]),
    colour=st.sampled_from(COLOURS[:2]),
    size=st.sampled_from((None, *SIZES)),
    motion=st.sampled_from(MOTIONS[:2]),
)
shots = st.builds(
    Shot,
    background=st.sampled_from(BACKGROUNDS[:2]),
    camera=st.sampled_from(CAMERAS[:2]),
    things=st.lists(things, min_size=1, max_size=3).map(tuple),
)
mentions = st.builds(
    Mention,
    shape=st.sampled_from((None, *SHAPES[:2])),
    colour=st.sampled_from((None, *COLOURS[:2])),
    size=st.sampled_from((None, *SIZES)),
    motion=st.sampled_from((None, *MOTIONS[:2])),
)
clauses = st.builds(
    Clause,
    background=st.sampled_from((None, *BACKGROUNDS[:2])),
    camera=st.sampled_from((None, *CAMERAS[:2])),
    mentions=st.lists(mentions, max_size=2).map(tuple),
)
claims = st.lists(clauses, min_size=1, max_size=3).map(lambda several: Claim(tuple(several)))

RED = Thing("square", "red", "small", "left")
BLUE = Thing("circle", "blue", None, "grow")
ONE = Shot("grey", "fixed", (RED,))
TWO = Shot("brick", "fixed", (BLUE,))


@given(st.lists(clauses, min_size=1, max_size=4), st.lists(shots, min_size=1, max_size=4))
def test_the_matrix_says_what_single_pairs_say(some, several):
    several = [shot for shot in several if len(shot.things) >= 2] or [
        Shot("grey", "fixed", (RED, BLUE))
    ]
    matrix = truth_matrix(code_facts(some), code_facts(several))
    for i, clause in enumerate(some):
        for j, shot in enumerate(several):
            assert matrix[i, j] == holds(clause, shot)


@given(
    st.lists(claims, min_size=1, max_size=3),
    st.lists(st.lists(shots, min_size=1, max_size=3), min_size=1, max_size=3),
)
def test_whole_videos_agree_with_single_pairs(some, videos):
    # An empty mention asks for some other thing; the matrix leaves it open. The grammar never
    # draws one.
    some = [
        Claim(
            tuple(
                Clause(c.background, c.camera, tuple(m for m in c.mentions if m != Mention()))
                for c in claim.clauses
            )
        )
        for claim in some
    ]
    matrix = true_videos(some, videos)
    for i, claim in enumerate(some):
        for j, video in enumerate(videos):
            assert matrix[i, j] == is_true(claim, video)


@given(claims)
def test_claims_survive_json(claim):
    assert Claim.from_json(claim.to_json()) == claim


def test_order_counts():
    red, blue = Clause(mentions=(Mention("square", "red"),)), Clause(mentions=(Mention("circle"),))
    assert is_true(Claim((red, blue)), [ONE, TWO])
    assert not is_true(Claim((blue, red)), [ONE, TWO])
    assert not is_true(Claim((red, red)), [ONE, TWO])


def test_who_does_what_counts():
    shot = Shot("grey", "fixed", (RED, Thing("circle", "blue", "small", "up")))
    swapped = Clause(mentions=(Mention(colour="red", motion="up"),))
    assert not holds(swapped, shot)
    assert holds(Clause(mentions=(Mention(colour="blue", motion="up"),)), shot)


def test_two_mentions_need_two_things():
    twice = Clause(mentions=(Mention(colour="red"), Mention(shape="square")))
    assert not holds(twice, ONE)


def test_held_out_combinations_leave_every_pair_of_facts_seen():
    held = np.array([[[is_held_out(s, c, m) for m in MOTIONS] for c in COLOURS] for s in SHAPES])
    assert 0.05 < held.mean() < 0.15
    for axis in range(3):
        assert not held.all(axis=axis).any()


def test_too_many_things_are_refused():
    with pytest.raises(ValueError, match="5 things"):
        code_facts([Shot("grey", "fixed", (RED,) * 5)])
