"""Render training windows of the generated world on the fly.

Windows come in groups that differ in one fact: the hardest wrong answers for one another, in both
directions, at no extra cost. Half of a group is rendered, the other half are mirror images and
reversed films of it, whose facts change accordingly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import IterableDataset, get_worker_info

from moviola.encode.shapes.model import CELLS, FRAMES, SIZE
from moviola.encode.shapes.words import Vocabulary
from moviola.synthetic.shapes.facts import (
    SHOT_FACTS,
    THING_FACTS,
    Clause,
    Codes,
    Shot,
    Thing,
    code_facts,
    has_held_out,
    truth_matrix,
)
from moviola.synthetic.shapes.grammar import (
    detailed_clause,
    draw_clause,
    middling_clause,
    say_clause,
)
from moviola.synthetic.shapes.rendering import render
from moviola.synthetic.shapes.world import (
    LEVELS,
    SWELLING,
    Take,
    draw_shot,
    is_possible,
    pick,
    position,
    stage,
)

RATE = 4.0
MIRROR = {"left": "right", "right": "left", "pan_left": "pan_right", "pan_right": "pan_left"}
REVERSE = MIRROR | {
    "up": "down",
    "down": "up",
    "grow": "shrink",
    "shrink": "grow",
    "tilt_up": "tilt_down",
    "tilt_down": "tilt_up",
}
PLAIN = LEVELS["plain"]
CHANGES = ("background", "camera", "colour", "shape", "size", "motion", "swap")


@dataclass(frozen=True)
class WindowConfig:
    """Configure the content of a batch."""

    groups: int = 16
    rendered: int = 4
    captions: int = 2
    cuts: float = 0.12
    """Share of rendered windows that a cut runs through."""
    seed: int = 1


@dataclass(frozen=True)
class Window:
    """Hold the pixels and labels of two seconds."""

    frames: NDArray[np.uint8]
    """(8, 64, 64, 3)."""
    shot: Shot
    cells: NDArray[np.int8]
    """(8, 8): which thing covers the cell in the middle of the window, -1 for none."""
    coverage: float = 1.0
    """Share of the window that shows `shot`; the rest shows another."""


def change_fact(rng: np.random.Generator, shot: Shot, what: str) -> Shot:
    """Change one kind of fact to a possible shot; the same shot where none was found."""
    for _ in range(12):
        i = int(rng.integers(len(shot.things)))
        things = list(shot.things)
        other = shot
        if what in SHOT_FACTS:
            other = replace(shot, **{what: pick(rng, SHOT_FACTS[what])})
        elif what == "swap" and len(things) > 1:
            fact = pick(rng, ("shape", "colour", "motion"))
            a, b = things[:2]
            things[0] = replace(a, **{fact: getattr(b, fact)})
            things[1] = replace(b, **{fact: getattr(a, fact)})
        elif what == "size" and things[i].size is not None:
            things[i] = replace(things[i], size="large" if things[i].size == "small" else "small")
        elif what in ("colour", "shape", "motion"):
            things[i] = replace(things[i], **{what: pick(rng, THING_FACTS[what])})
        if what not in SHOT_FACTS:
            other = replace(other, things=tuple(_sized(rng, thing) for thing in things))
        if other != shot and is_possible(other) and not has_held_out(other):
            return other
    return shot


def _sized(rng: np.random.Generator, thing: Thing) -> Thing:
    """Give the thing a size where its motion leaves it one, and none otherwise."""
    if thing.motion in SWELLING:
        return replace(thing, size=None)
    return replace(thing, size=thing.size or pick(rng, ("small", "large")))


def _cells(take: Take, seconds: float) -> NDArray[np.int8]:
    line = (np.arange(CELLS) + 0.5) / CELLS
    found = np.full((CELLS, CELLS), -1, np.int8)
    nearest = np.full((CELLS, CELLS), np.inf)
    for i, (thing, track) in enumerate(zip(take.shot.things, take.tracks, strict=True)):
        at = np.array([seconds])
        x, y, r = position(track, thing.motion, at / take.seconds, at)
        away = np.hypot(line[None, :] - x, line[:, None] - y)
        inside = (away < np.maximum(0.7 * r, 0.09)) & (away < nearest)
        found[inside], nearest[inside] = i, away[inside]
    return found


def window(rng: np.random.Generator, take: Take) -> Window:
    """Render two seconds from anywhere in a take."""
    start = rng.uniform(0, take.seconds - FRAMES / RATE)
    # A file's frames lie up to half a frame beside the moments that are asked for.
    times = start + (np.arange(FRAMES) + 0.5 + rng.uniform(-0.17, 0.17, FRAMES)) / RATE
    return Window(render(take, times, SIZE), take.shot, _cells(take, start + FRAMES / RATE / 2))


def cut_window(rng: np.random.Generator, before: Take, after: Take) -> Window:
    """Render two seconds with a cut inside."""
    kept = int(rng.integers(1, FRAMES))
    phase = rng.uniform(0, 1)
    head = before.seconds - (kept - np.arange(kept) - phase) / RATE
    tail = (np.arange(FRAMES - kept) + phase) / RATE
    frames = np.concatenate([render(before, head, SIZE), render(after, tail, SIZE)])
    main = before if 2 * kept >= FRAMES else after
    nothing = np.full((CELLS, CELLS), -1, np.int8)
    return Window(frames, main.shot, nothing, max(kept, FRAMES - kept) / FRAMES)


def turned(rng: np.random.Generator, one: Window) -> Window | None:
    """Mirror the picture, reverse the film or both; None where the result's facts are held out."""
    mirror, reverse = ((True, False), (False, True), (True, True))[int(rng.integers(3))]
    names = {}
    for name in ("left", "right", "up", "down", "grow", "shrink", *MIRROR, *REVERSE):
        turned_name = REVERSE.get(name, name) if reverse else name
        names[name] = MIRROR.get(turned_name, turned_name) if mirror else turned_name
    things = tuple(replace(t, motion=names.get(t.motion, t.motion)) for t in one.shot.things)
    shot = replace(one.shot, things=things, camera=names.get(one.shot.camera, one.shot.camera))
    if has_held_out(shot):
        return None
    frames = one.frames[::-1] if reverse else one.frames
    frames, cells = (frames[:, :, ::-1], one.cells[:, ::-1]) if mirror else (frames, one.cells)
    return Window(frames, shot, cells, one.coverage)


def draw_group(rng: np.random.Generator, config: WindowConfig, others: list[Take]) -> list[Window]:
    """Draw twice `config.rendered` windows around one shot."""
    base = draw_shot(rng, PLAIN, held_out=False)
    shots = [base]
    while len(shots) < config.rendered:
        shots.append(change_fact(rng, pick_shot(rng, shots), pick(rng, CHANGES)))
    windows: list[Window] = []
    for shot in shots:
        take = stage(rng, shot, rng.uniform(3.0, 6.0))
        if others and rng.random() < config.cuts:
            other = others[int(rng.integers(len(others)))]
            pair = (take, other) if rng.random() < 0.5 else (other, take)
            one = cut_window(rng, *pair)
        else:
            one = window(rng, take)
        others.append(take)
        windows += [one, turned(rng, one) or window(rng, take)]
    del others[:-32]
    return windows


def pick_shot(rng: np.random.Generator, shots: list[Shot]) -> Shot:
    """Pick the first shot as often as all others, so that most windows differ in one fact."""
    return shots[0] if rng.random() < 0.5 else shots[int(rng.integers(len(shots)))]


def training_clause(rng: np.random.Generator, shot: Shot) -> Clause:
    """Draw a true clause, half of them of any detail, the others as captions usually are."""
    kind = rng.random()
    if kind < 0.5:
        return draw_clause(rng, shot)
    return detailed_clause(rng, shot) if kind < 0.75 else middling_clause(rng, shot)


def collate(
    rng: np.random.Generator, windows: list[Window], words: Vocabulary, captions: int
) -> dict[str, NDArray[np.generic]]:
    """Collate B windows and `captions` x B captions into a batch.

    Returns:
        `frames` (B, 8, 64, 64, 3) uint8; `shots` (B, WIDTH) and `clauses` (N, WIDTH) codes;
        `numbers` (N, L) words; `truth` (N, B) bool, the facts of the main shot; `coverage` (B,);
        `cells` (B, 8, 8); `owner` (N,).
    """
    clauses: list[Clause] = []
    texts: list[str] = []
    for one in windows:
        for _ in range(captions):
            clauses.append(training_clause(rng, one.shot))
            texts.append(say_clause(rng, clauses[-1]))
    shots: Codes = code_facts([one.shot for one in windows])
    coded = code_facts(clauses)
    return {
        "frames": np.stack([one.frames for one in windows]),
        "shots": shots,
        "clauses": coded,
        "numbers": words.numbers(texts),
        "truth": truth_matrix(coded, shots),
        "coverage": np.array([one.coverage for one in windows], np.float32),
        "cells": np.stack([one.cells for one in windows]),
        "owner": np.repeat(np.arange(len(windows)), captions),
    }


class WindowStream(IterableDataset[dict[str, NDArray[np.generic]]]):
    """Stream batches without end; the seed and the worker's number determine them."""

    def __init__(self, config: WindowConfig, words: Vocabulary) -> None:
        self.config, self.words = config, words

    def __iter__(self) -> Iterator[dict[str, NDArray[np.generic]]]:
        worker = get_worker_info()
        number = 0 if worker is None else worker.id
        rng = np.random.default_rng([self.config.seed, number])
        others: list[Take] = []
        while True:
            windows: list[Window] = []
            for _ in range(self.config.groups):
                windows += draw_group(rng, self.config, others)
            yield collate(rng, windows, self.words, self.config.captions)
