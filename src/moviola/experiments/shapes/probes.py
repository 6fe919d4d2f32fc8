"""Probe attributes: compare a true text with the same text with one fact wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from moviola.synthetic.shapes.facts import SHOT_FACTS, THING_FACTS, Clause, Mention, Shot, holds
from moviola.synthetic.shapes.grammar import full_mention, say_clause
from moviola.synthetic.shapes.world import cameras_for, pick

PROBED = ("background", "camera", "colour", "shape", "size", "motion")

Encode = Callable[[Sequence[str]], NDArray[np.float32]]


@dataclass(frozen=True)
class Probe:
    """Hold a true text about window `index` and the same with one fact wrong."""

    kind: str
    index: int
    right: str
    wrong: str


def _true_clause(rng: np.random.Generator, shot: Shot, kind: str) -> tuple[Clause, int]:
    """Draw a clause that states a fact of this kind, and the thing that it is about."""
    i = int(rng.integers(len(shot.things)))
    mention = full_mention(shot.things[i])
    background = shot.background if kind == "background" or rng.random() < 0.5 else None
    camera = shot.camera if kind == "camera" else None
    return Clause(background, camera, (mention,)), i


def _wrong(rng: np.random.Generator, clause: Clause, shot: Shot, kind: str) -> Clause:
    """Change one value of the clause to one that the window would show otherwise."""
    if kind == "camera":
        return replace(clause, camera=pick(rng, cameras_for(shot.background)))
    if kind in SHOT_FACTS:
        return replace(clause, background=pick(rng, SHOT_FACTS[kind]))
    changed = replace(clause.mentions[0], **{kind: pick(rng, THING_FACTS[kind])})
    return replace(clause, mentions=(changed,))


def draw_probe(rng: np.random.Generator, shot: Shot, index: int, kind: str) -> Probe | None:
    """Draw a probe of one kind; None where the shot has no such fact."""
    if kind == "camera" and len(cameras_for(shot.background)) == 1:
        return None
    clause, i = _true_clause(rng, shot, kind)
    if kind == "size" and shot.things[i].size is None:
        return None
    for _ in range(50):
        wrong = _wrong(rng, clause, shot, kind)
        if not holds(wrong, shot):
            # The same random choices: both texts are worded alike wherever their facts are alike.
            seed = int(rng.integers(2**32))
            right_text = say_clause(np.random.default_rng(seed), clause)
            return Probe(kind, index, right_text, say_clause(np.random.default_rng(seed), wrong))
    return None


def swap_probe(rng: np.random.Generator, shot: Shot, index: int) -> Probe | None:
    """Make a probe whose wrong text exchanges the motions of two things."""
    if len(shot.things) < 2 or shot.things[0].motion == shot.things[1].motion:
        return None
    a, b = (full_mention(thing) for thing in shot.things[:2])
    a, b = (replace(m, size=None) for m in (a, b))
    right = Clause(mentions=(a, b))
    wrong = Clause(mentions=(replace(a, motion=b.motion), replace(b, motion=a.motion)))
    if holds(wrong, shot):
        return None
    seed = int(rng.integers(2**32))
    texts = [say_clause(np.random.default_rng(seed), clause) for clause in (right, wrong)]
    return Probe("binding", index, *texts)


def direction_texts(rng: np.random.Generator, shot: Shot) -> tuple[list[str], int] | None:
    """Write the text with each of the four directions; return the number of the true one."""
    ways = ("left", "right", "up", "down")
    moving = [thing for thing in shot.things if thing.motion in ways]
    if not moving:
        return None
    thing = moving[0]
    mention = Mention(thing.shape, thing.colour)
    clauses = [Clause(mentions=(replace(mention, motion=way),)) for way in ways]
    if sum(holds(clause, shot) for clause in clauses) != 1:
        return None
    seed = int(rng.integers(2**32))
    texts = [say_clause(np.random.default_rng(seed), clause) for clause in clauses]
    return texts, ways.index(thing.motion)


def draw_probes(rng: np.random.Generator, shots: Sequence[Shot]) -> list[Probe]:
    """Draw probes of every kind for windows that show these shots."""
    found: list[Probe] = []
    for index, shot in enumerate(shots):
        drawn = [draw_probe(rng, shot, index, kind) for kind in PROBED] + [
            swap_probe(rng, shot, index)
        ]
        found += [probe for probe in drawn if probe is not None]
    return found


def probe_wins(
    probes: Sequence[Probe], videos: NDArray[np.float32], encode: Encode
) -> dict[str, NDArray[np.float64]]:
    """Score each kind: 1 where the true text scores higher, 0.5 at a tie, else 0.

    Args:
        probes: what to ask.
        videos: (N, D) unit vectors of the windows that the probes are about.
        encode: texts to (N, D) unit vectors.
    """
    right = encode([probe.right for probe in probes])
    wrong = encode([probe.wrong for probe in probes])
    rows = videos[[probe.index for probe in probes]]
    gap = ((right - wrong) * rows).sum(1)
    wins = np.where(gap > 0, 1.0, np.where(gap == 0, 0.5, 0.0))
    kinds = np.array([probe.kind for probe in probes])
    return {kind: wins[kinds == kind] for kind in (*PROBED, "binding")}


def direction_wins(
    rng: np.random.Generator,
    shots: Sequence[Shot],
    videos: NDArray[np.float32],
    encode: Encode,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the windows asked about, and 1 where the true one of four directions wins."""
    asked = [(i, found) for i, shot in enumerate(shots) if (found := direction_texts(rng, shot))]
    rows = encode([text for _, (texts, _) in asked for text in texts])
    scores = (rows.reshape(len(asked), 4, -1) * videos[[i for i, _ in asked]][:, None]).sum(-1)
    won = scores.argmax(1) == np.array([answer for _, (_, answer) in asked])
    return np.array([i for i, _ in asked]), won.astype(np.float64)
