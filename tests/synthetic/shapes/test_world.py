from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moviola.synthetic.shapes.facts import MOTIONS, Shot, Thing, has_held_out, is_true, true_videos
from moviola.synthetic.shapes.grammar import draw_clause, say, say_clause, vocabulary
from moviola.synthetic.shapes.rendering import INKS, WALLS, render
from moviola.synthetic.shapes.sound import tone
from moviola.synthetic.shapes.world import LEVELS, draw_shot, is_possible, look_alike, stage
from moviola.synthetic.shapes.writing import SPLITS, claims_held_out, draw

seeds = st.integers(0, 2**32 - 1)
TIMES = np.arange(8) / 4


def staged(seed: int, shot: Shot, seconds: float = 4.0):
    return stage(np.random.default_rng(seed), shot, seconds)


@given(seeds, st.sampled_from(sorted(LEVELS)))
def test_every_shot_drawn_is_possible(seed, level):
    shot = draw_shot(np.random.default_rng(seed), LEVELS[level], held_out=None)
    assert is_possible(shot, zooms=level == "hard")


@given(seeds, st.sampled_from(SPLITS))
@settings(max_examples=60)
def test_captions_are_true_of_their_video(seed, split):
    video = draw(seed, split, 0)
    shots = [take.shot for take in video.takes]
    assert len(video.captions) == 20
    assert all(is_true(claim, shots) for claim in video.claims)
    assert 3 <= video.seconds <= 15


@pytest.mark.parametrize("split", ["train", "val"])
def test_training_never_shows_or_tells_a_held_out_combination(split):
    for number in range(150):
        video = draw(3, split, number)
        assert not any(has_held_out(take.shot) for take in video.takes)
        assert not any(map(claims_held_out, video.claims))


def test_the_test_split_shows_held_out_combinations():
    videos = [draw(3, "test", number) for number in range(100)]
    shown = np.mean([any(has_held_out(take.shot) for take in v.takes) for v in videos])
    assert 0.1 < shown < 0.5


def test_about_seven_in_ten_captions_are_true_of_one_video_among_a_thousand():
    videos = [draw(5, "val", number) for number in range(1000)]
    claims = [claim for video in videos for claim in video.claims[:3]]
    shots = [tuple(take.shot for take in video.takes) for video in videos]
    unique = (true_videos(claims, shots).sum(1) == 1).mean()
    assert 0.6 < unique < 0.8


@given(seeds)
def test_captions_keep_to_the_vocabulary(seed):
    rng = np.random.default_rng(seed)
    shot = draw_shot(rng, LEVELS["hard"], held_out=None)
    assert set(re.findall(r"[a-z]+", say_clause(rng, draw_clause(rng, shot)))) <= set(vocabulary())


def test_the_same_seed_says_the_same():
    claim = draw(1, "val", 0).claims[0]
    assert say(np.random.default_rng(4), claim) == say(np.random.default_rng(4), claim)


def test_a_video_does_not_depend_on_its_neighbours():
    assert draw(1, "val", 7) == draw(1, "val", 7)
    assert draw(1, "val", 7).takes != draw(1, "val", 8).takes != draw(2, "val", 8).takes


@given(seeds)
@settings(max_examples=30)
def test_small_pictures_look_like_large_ones_averaged(seed):
    rng = np.random.default_rng(seed)
    take = stage(rng, draw_shot(rng, LEVELS["plain"], held_out=None), 4.0)
    small = render(take, TIMES[:2], 64).astype(float)
    large = render(take, TIMES[:2], 192).astype(float).reshape(2, 64, 3, 64, 3, 3).mean((2, 4))
    assert np.abs(small - large).mean() < 1.0


@pytest.mark.parametrize("motion", MOTIONS)
def test_a_thing_moves_as_it_is_said(motion):
    size = None if motion in {"grow", "shrink"} else "small"
    shot = Shot("grey", "fixed", (Thing("square", "red", size, motion),))
    for seed in range(5):
        frames = render(staged(seed, shot), np.arange(0, 4, 0.25), 64).astype(int)
        body = (frames[..., 0] - frames[..., 1]) > 90
        rows, columns = (
            np.array([np.nonzero(mask)[axis].mean() for mask in body]) for axis in (0, 1)
        )
        dx, dy, growth = (
            columns[-1] - columns[0],
            rows[-1] - rows[0],
            body[-1].sum() / body[0].sum(),
        )
        if motion in {"left", "right"}:
            assert dx * (1 if motion == "right" else -1) > 20
            assert abs(dy) < 2
        elif motion in {"up", "down"}:
            assert dy * (1 if motion == "down" else -1) > 20
            assert abs(dx) < 2
        elif motion in {"grow", "shrink"}:
            assert (growth if motion == "grow" else 1 / growth) > 2.5
        elif motion == "still":
            assert max(np.ptp(rows), np.ptp(columns)) < 0.5
        else:
            assert np.ptp(rows) > 10
            assert (np.ptp(columns) > 10) == (motion == "loop")


def test_the_camera_moves_the_wall_the_other_way():
    shot = Shot("checkered", "pan_left", (Thing("star", "red", "small", "up"),))
    take = staged(1, shot)
    frames = render(take, np.array([0.0, 0.25]), 192).astype(float)[:, :12].mean((1, 3))
    shifts = {
        s: np.abs(frames[1][24:-24] - np.roll(frames[0], s)[24:-24]).mean() for s in range(-12, 13)
    }
    assert min(shifts, key=shifts.get) > 0


def test_colours_are_told_apart_from_walls_and_from_each_other():
    inks = np.array(list(INKS.values()), float)
    walls = np.array([tone for tones in WALLS.values() for tone in tones], float)
    apart = np.linalg.norm(inks[:, None] - np.concatenate([inks, walls])[None], axis=-1)
    assert np.sort(apart, axis=1)[:, 1].min() > 60


@given(seeds)
@settings(max_examples=30)
def test_look_alikes_share_looks_but_no_thing(seed):
    rng = np.random.default_rng(seed)
    shot = draw_shot(rng, LEVELS["plain"], held_out=False)
    other = look_alike(rng, shot)
    assert (other.background, other.camera) == (shot.background, shot.camera)
    assert [t.colour for t in other.things] == [t.colour for t in shot.things]
    assert not {(t.shape, t.motion) for t in other.things} & {
        (t.shape, t.motion) for t in shot.things
    }


def test_tones_have_their_pitch():
    take = staged(0, Shot("grey", "fixed", (Thing("star", "red", "small", "still"),)))
    for number in range(20):
        sound = draw(number, "val", 0).takes[0].sound
        wave = tone(sound, 2.0)
        assert np.abs(wave).max() <= 0.3
        if sound.pitch is None:
            assert not wave.any()
        else:
            loudest = np.abs(np.fft.rfft(wave)).argmax() / 2.0
            assert abs(loudest - sound.pitch) < 2
    assert take.seconds == 4.0
