"""Define what can be true in the generated world, and when a statement about it is true.

A *shot* has facts (its background, its camera, its things). A *clause* states some of the facts of
one shot and leaves the others open. A *claim* is what a caption says: one clause, or several in
the order in which their shots appear. Truth is decided here and nowhere else, once for single
pairs (`is_true`) and once for whole matrices (`truth_matrix`), which the tests hold against each
other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

SHAPES = ("circle", "square", "triangle", "star", "cross")
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "white", "black")
SIZES = ("small", "large")
MOTIONS = ("left", "right", "up", "down", "grow", "shrink", "loop", "bounce", "still")
TEXTURES = ("plain", "spotted", "hatched")
PLAIN_BACKGROUNDS = ("grey", "beige", "teal")
PATTERNED_BACKGROUNDS = ("striped", "checkered", "dotted", "brick", "wavy")
BACKGROUNDS = PLAIN_BACKGROUNDS + PATTERNED_BACKGROUNDS
CAMERAS = ("fixed", "pan_left", "pan_right", "tilt_up", "tilt_down", "zoom_in", "zoom_out")

THING_FACTS: dict[str, tuple[str, ...]] = {
    "shape": SHAPES,
    "colour": COLOURS,
    "size": SIZES,
    "motion": MOTIONS,
    "texture": TEXTURES,
}
SHOT_FACTS: dict[str, tuple[str, ...]] = {"background": BACKGROUNDS, "camera": CAMERAS}

MAX_THINGS = 4
MAX_MENTIONS = 2
WIDTH = len(SHOT_FACTS) + len(THING_FACTS) * MAX_THINGS
"""Columns of a coded shot or clause: background, camera, the facts of each thing."""

Codes = NDArray[np.int8]


@dataclass(frozen=True)
class Thing:
    """Hold one object of a shot. `size` is None where it changes, so that no size word fits."""

    shape: str
    colour: str
    size: str | None
    motion: str
    texture: str = "plain"


@dataclass(frozen=True)
class Sound:
    """Hold the tone of a shot: `pitch` in hertz (None is silence) and the name of its timbre."""

    pitch: float | None
    timbre: str


@dataclass(frozen=True)
class Shot:
    """Hold the facts of one shot. `things` never has two of the same shape and colour."""

    background: str
    camera: str
    things: tuple[Thing, ...]


@dataclass(frozen=True)
class Mention:
    """Hold what a clause says about one thing; None leaves a fact open."""

    shape: str | None = None
    colour: str | None = None
    size: str | None = None
    motion: str | None = None
    texture: str | None = None


@dataclass(frozen=True)
class Clause:
    """Hold what a caption says about one shot; None leaves a fact open."""

    background: str | None = None
    camera: str | None = None
    mentions: tuple[Mention, ...] = ()


@dataclass(frozen=True)
class Claim:
    """Hold the meaning of a caption: clauses that hold in shots that follow one another."""

    clauses: tuple[Clause, ...]

    def to_json(self) -> list[dict[str, Any]]:
        """Write what is asserted, and no more, as plain lists and dictionaries."""
        return [
            {
                **{k: v for k in SHOT_FACTS if (v := getattr(clause, k)) is not None},
                "things": [
                    {k: v for k, v in asdict(mention).items() if v is not None}
                    for mention in clause.mentions
                ],
            }
            for clause in self.clauses
        ]

    @classmethod
    def from_json(cls, value: Sequence[dict[str, Any]]) -> Claim:
        """Invert `to_json`; an unknown fact name raises TypeError."""
        return cls(
            tuple(
                Clause(
                    background=item.get("background"),
                    camera=item.get("camera"),
                    mentions=tuple(Mention(**thing) for thing in item.get("things", [])),
                )
                for item in value
            )
        )


def _fits(mention: Mention, thing: Thing) -> bool:
    stated = ((fact, getattr(mention, fact)) for fact in THING_FACTS)
    return all(value is None or value == getattr(thing, fact) for fact, value in stated)


def holds(clause: Clause, shot: Shot) -> bool:
    """Tell whether a clause is true of a shot: every mention needs a fitting thing of its own."""
    if clause.background not in (None, shot.background) or clause.camera not in (None, shot.camera):
        return False
    return any(
        all(_fits(mention, thing) for mention, thing in zip(clause.mentions, things, strict=True))
        for things in permutations(shot.things, len(clause.mentions))
    )


def is_true(claim: Claim, shots: Sequence[Shot]) -> bool:
    """Tell whether a claim is true of a video with these shots, in time order."""
    following: Iterator[Shot] = iter(shots)
    # `any` consumes the shots up to the first that fits: later clauses need later shots.
    return all(any(holds(clause, shot) for shot in following) for clause in claim.clauses)


def is_held_out(shape: str, colour: str, motion: str) -> bool:
    """Tell whether a combination is kept for the test split: one in eleven; all pairs are seen."""
    number = SHAPES.index(shape) + 3 * COLOURS.index(colour) + 5 * MOTIONS.index(motion)
    return number % 11 == 0


def has_held_out(shot: Shot) -> bool:
    """Tell whether a thing of the shot is a combination that training never shows."""
    return any(is_held_out(thing.shape, thing.colour, thing.motion) for thing in shot.things)


def _code(value: str | None, among: tuple[str, ...]) -> int:
    return -1 if value is None else among.index(value)


def code_facts(stated: Sequence[Shot | Clause]) -> Codes:
    """Code shots or clauses as rows of small integers.

    Args:
        stated: N shots or clauses; at most `MAX_THINGS` things, at most `MAX_MENTIONS` mentions.

    Returns:
        (N, WIDTH) int8; -1 where there is no such thing or a clause leaves the fact open.

    Raises:
        ValueError: a shot or clause names too many things, or a value that is not of this world.
    """
    rows = np.full((len(stated), WIDTH), -1, np.int8)
    for row, item in zip(rows, stated, strict=True):
        things = item.things if isinstance(item, Shot) else item.mentions
        limit = MAX_THINGS if isinstance(item, Shot) else MAX_MENTIONS
        if len(things) > limit:
            raise ValueError(
                f"{len(things)} things in one {type(item).__name__.lower()}, at most {limit}"
            )
        row[0] = _code(item.background, BACKGROUNDS)
        row[1] = _code(item.camera, CAMERAS)
        for i, thing in enumerate(things):
            for j, (fact, among) in enumerate(THING_FACTS.items()):
                row[2 + i * len(THING_FACTS) + j] = _code(getattr(thing, fact), among)
    return rows


def truth_matrix(clauses: Codes, shots: Codes) -> NDArray[np.bool_]:
    """Tell where each of N coded clauses holds in M coded shots.

    Returns:
        (N, M) bool: `holds` for every pair.
    """
    facts = len(THING_FACTS)
    true = np.ones((len(clauses), len(shots)), bool)
    for column in range(2):
        said = clauses[:, column, None]
        true &= (said == -1) | (said == shots[None, :, column])
    fits = np.ones((MAX_MENTIONS, MAX_THINGS, *true.shape), bool)
    for mention in range(MAX_MENTIONS):
        for thing in range(MAX_THINGS):
            for fact in range(facts):
                said = clauses[:, 2 + mention * facts + fact, None]
                fits[mention, thing] &= (said == -1) | (
                    said == shots[None, :, 2 + thing * facts + fact]
                )
    # An open mention slot fits any other thing, so two slots suffice for one mention as well.
    pairs = permutations(range(MAX_THINGS), MAX_MENTIONS)
    return true & np.any([fits[0, i] & fits[1, j] for i, j in pairs], axis=0)


def true_videos(claims: Sequence[Claim], videos: Sequence[Sequence[Shot]]) -> NDArray[np.bool_]:
    """Tell of which videos each claim is true.

    Returns:
        (len(claims), len(videos)) bool: `is_true` for every pair.
    """
    owner = np.repeat(np.arange(len(videos)), [len(shots) for shots in videos])
    order = np.concatenate([np.arange(len(shots)) for shots in videos])
    coded = code_facts([shot for shots in videos for shot in shots])
    true = np.ones((len(claims), len(videos)), bool)
    reached = np.full((len(claims), len(videos)), -1)
    never = int(order.max()) + 1
    for depth in range(max(len(claim.clauses) for claim in claims)):
        rows = [i for i, claim in enumerate(claims) if len(claim.clauses) > depth]
        now = truth_matrix(code_facts([claims[i].clauses[depth] for i in rows]), coded)
        now &= order[None, :] > reached[np.ix_(np.array(rows), owner)]
        first = np.full((len(rows), len(videos)), never)
        for column in range(len(owner)):
            video = owner[column]
            first[:, video] = np.minimum(
                first[:, video], np.where(now[:, column], order[column], never)
            )
        true[rows] &= first < never
        reached[rows] = first
    return true
