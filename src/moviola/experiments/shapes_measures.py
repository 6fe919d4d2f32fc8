"""Measure the shipped encoder on videos that it has not seen, as they are after coding."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from moviola.core.spans import Span
from moviola.datasets.shapes import Claim, is_true
from moviola.datasets.shapes.facts import has_held_out, true_videos
from moviola.datasets.shapes.grammar import brief_clause, say
from moviola.datasets.shapes.writing import claims_held_out, moments_of
from moviola.encode.shapes import Calibration, ShapesEncoder
from moviola.experiments.shapes_gallery import Gallery, in_sequence, make, score_videos, text_rows
from moviola.experiments.shapes_probes import direction_wins, draw_probes, probe_wins
from moviola.library.moments import merge_windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

RESAMPLES = 1000
STRANGE = (
    "a dog on a skateboard",
    "two people dancing in the rain",
    "a chef cutting onions",
    "a cat sleeping on a sofa",
    "a man plays the guitar",
    "children swimming in a lake",
    "an aeroplane taking off",
    "a woman reading a newspaper",
    "a train arriving at a station",
    "a bird singing in a tree",
    "a birthday cake with candles",
    "someone riding a bicycle",
    "a red car driving down the street",
    "a black horse jumps",
    "a white boat moves left",
    "a blue butterfly",
    "a small green frog hopping",
    "a large elephant",
    "an orange cat rests on a wall",
    "a yellow bus goes to the right",
)
"""Texts about other worlds; the later ones share words with this one."""


@dataclass(frozen=True)
class MeasureConfig:
    """On what the encoder is measured."""

    folder: Path
    seed: int = 41
    videos: int = 1000
    calibration_videos: int = 300
    look_alikes: int = 400


@dataclass(frozen=True)
class Figure:
    """A mean with its 95 % interval."""

    value: float
    low: float
    high: float
    count: int


def figure(values: NDArray[Any] | Sequence[float], groups: Sequence[int] | NDArray[Any]) -> Figure:
    """Mean and 95 % percentile interval, resampling whole videos.

    Captions of one video are not independent, so videos are drawn, with all that belongs to them.
    Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.

    Args:
        values: (N,) results.
        groups: (N,) the number of the video that each belongs to.
    """
    values = np.asarray(values, np.float64)
    _, owner = np.unique(np.asarray(groups), return_inverse=True)
    sums, counts = np.bincount(owner, values), np.bincount(owner)
    drawn = np.random.default_rng(0).integers(0, len(sums), (RESAMPLES, len(sums)))
    low, high = np.percentile(sums[drawn].sum(1) / counts[drawn].sum(1), (2.5, 97.5))
    return Figure(float(values.mean()), float(low), float(high), len(values))


def measure_probes(
    encoder: ShapesEncoder, gallery: Gallery, *, held_out: bool
) -> dict[str, Figure]:
    """Attribute probes, binding and directions, on one window of each shot."""
    rows, shots = gallery.shot_windows()
    keep = [i for i, shot in enumerate(shots) if has_held_out(shot) == held_out]
    rows, shots = rows[keep], [shots[i] for i in keep]
    videos, owner = gallery.vectors[rows], gallery.owner[rows]

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        return text_rows(encoder, texts)

    probes = draw_probes(np.random.default_rng(11), shots)
    wins = probe_wins(probes, videos, encode)
    found = {
        kind: figure(won, [owner[probe.index] for probe in probes if probe.kind == kind])
        for kind, won in wins.items()
    }
    asked, won = direction_wins(np.random.default_rng(12), shots, videos, encode)
    return found | {"four-way direction": figure(won, owner[asked])}


def measure_order(encoder: ShapesEncoder, gallery: Gallery) -> Figure:
    """Does a caption that tells two shots in order score higher than with its clauses exchanged?"""
    rng = np.random.default_rng(13)
    wins: list[float] = []
    owner: list[int] = []
    for i, shots in enumerate(gallery.shots):
        if len(shots) < 2 or any(map(has_held_out, shots)):
            continue
        a, b = sorted(rng.choice(len(shots), 2, replace=False))
        right = Claim((brief_clause(rng, shots[a]), brief_clause(rng, shots[b])))
        if is_true(Claim(right.clauses[::-1]), shots):
            continue
        texts = [say(rng, Claim((clause,))) for clause in right.clauses]
        one = gallery.part([i])
        cosines = text_rows(encoder, texts) @ one.vectors.T
        scores = in_sequence(np.stack([cosines, cosines[::-1]]), one)[:, 0]
        wins.append(float(scores[0] > scores[1]) + 0.5 * float(scores[0] == scores[1]))
        owner.append(i)
    return figure(wins, owner)


def measure_retrieval(encoder: ShapesEncoder, gallery: Gallery) -> dict[str, Figure]:
    """Retrieval of whole videos by all captions, and of captions by videos."""
    claims = [claim for video in gallery.videos for claim in video.claims]
    texts = [text for video in gallery.videos for text in video.captions]
    owner = np.repeat(np.arange(len(gallery.videos)), [len(v.claims) for v in gallery.videos])
    truth = true_videos(claims, gallery.shots)
    scores = score_videos(encoder, texts, gallery)
    best = scores.argmax(1)
    right = truth[np.arange(len(best)), best]
    held = np.array([claims_held_out(claim) for claim in claims])
    unique = truth.sum(1) == 1
    seen = unique & ~held
    # Each column's best among the captions that are true of exactly one video.
    back = owner[seen][scores[seen].argmax(0)] == np.arange(len(gallery.videos))
    asked = np.isin(np.arange(len(gallery.videos)), owner[seen])
    order = np.array([len(claim.clauses) > 1 for claim in claims])
    return {
        "fact-true@1": figure(right[~held], owner[~held]),
        "fact-true@1, one clause": figure(right[~held & ~order], owner[~held & ~order]),
        "fact-true@1, two in order": figure(right[~held & order], owner[~held & order]),
        "R@1 text to video, captions true of one video": figure(right[seen], owner[seen]),
        "R@1 video to text, captions true of one video": figure(back[asked], np.flatnonzero(asked)),
        "fact-true@1, held-out combinations": figure(right[held], owner[held]),
        "R@1 text to video, held-out combinations": figure(
            right[unique & held], owner[unique & held]
        ),
        "share of captions true of one video": figure(unique, owner),
    }


def measure_moments(encoder: ShapesEncoder, gallery: Gallery) -> dict[str, Figure]:
    """Localisation inside a known video that holds a look-alike of the shot that is sought."""
    found: list[float] = []
    owner: list[int] = []
    starts = [*gallery.starts, len(gallery.owner)]
    for i, video in enumerate(gallery.videos):
        for moment in moments_of(video):
            if moment["held_out"]:
                continue
            cosines = (text_rows(encoder, [moment["query"]]) @ gallery.vectors.T)[0]
            part = slice(starts[i], starts[i + 1])
            best = merge_windows(
                cosines[part], gallery.spans[part], background=float(np.median(cosines))
            )[0]
            true = Span(*moment["relevant_windows"][0])
            found.append(Span(best.start, best.end).iou(true))
            owner.append(i)
    ious = np.array(found)
    return {
        "moments R1@IoU0.5": figure(ious >= 0.5, owner),
        "moments R1@IoU0.7": figure(ious >= 0.7, owner),
        "moments mean IoU": figure(ious, owner),
    }


def _top_hits(encoder: ShapesEncoder, gallery: Gallery, seed: int) -> tuple[Any, Any, Any, Any]:
    """Scores of best hits for one-clause queries, half of them about things that are taken away.

    Returns:
        scores, whether the hit is right, whether the query was about something absent, video.
    """
    rng = np.random.default_rng(seed)
    scores: list[float] = []
    right: list[bool] = []
    absent: list[bool] = []
    owner: list[int] = []
    for i, video in enumerate(gallery.videos):
        single = [k for k, claim in enumerate(video.claims) if len(claim.clauses) == 1]
        for k in rng.choice(single, min(4, len(single)), replace=False):
            claim = video.claims[k]
            cosines = (text_rows(encoder, [video.captions[k]]) @ gallery.vectors.T)[0]
            gone = bool(rng.random() < 0.5)
            if gone:
                there = true_videos([claim], gallery.shots)[0]
                cosines = np.where(there[gallery.owner], -1, cosines)
            top = int(cosines.argmax())
            scores.append(float(cosines[top]))
            right.append(not gone and bool(gallery.window_truth(claim)[top]))
            absent.append(gone)
            owner.append(i)
    return np.array(scores), np.array(right), np.array(absent), np.array(owner)


def fit_logistic(scores: NDArray[np.float64], right: NDArray[np.bool_]) -> Calibration:
    """Fit the chance of being right to a score by Newton's method (Platt scaling).

    Platt, "Probabilistic outputs for support vector machines", 1999.
    """
    x = np.stack([scores, np.ones_like(scores)], 1)
    weights = np.zeros(2)
    for _ in range(50):
        chance = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        curve = (x * (chance * (1 - chance))[:, None]).T @ x + 1e-6 * np.eye(2)
        weights += np.linalg.solve(curve, x.T @ (right - chance) - 1e-6 * weights)
    return Calibration(float(weights[0]), float(weights[1]))


def calibrate(encoder: ShapesEncoder, gallery: Gallery) -> Calibration:
    """The calibration of an encoder on the windows of a gallery, one a second."""
    every = gallery.part(range(len(gallery.videos)), every=2)
    scores, right, _, _ = _top_hits(encoder, every, 21)
    return fit_logistic(scores, right)


def measure_bands(encoder: ShapesEncoder, gallery: Gallery) -> dict[str, Figure]:
    """Do the bands mean what they say: weak for what is absent, strong for what is right?"""
    every = gallery.part(range(0, len(gallery.videos), 3), every=2)
    scores, right, absent, owner = _top_hits(encoder, every, 22)
    chance = np.array([encoder.calibration.probability(score) for score in scores])
    strange = (text_rows(encoder, STRANGE) @ every.vectors.T).max(1)
    weak = np.array([encoder.calibration.probability(float(score)) < 0.5 for score in strange])
    strong = chance >= 0.9
    found = {
        "weak, of queries about absent things of this world": figure(
            chance[absent] < 0.5, owner[absent]
        ),
        "weak, of queries about other worlds": figure(weak, range(len(weak))),
        "strong, of queries with an answer": figure(strong[~absent], owner[~absent]),
    }
    if strong.any():
        found["right, of strong hits"] = figure(right[strong], owner[strong])
    return found


def measure_speed(encoder: ShapesEncoder, count: int = 256) -> float:
    """Windows a second that the video tower embeds here, with as many threads as torch uses."""
    frames = torch.randint(0, 256, (count, 8, 64, 64, 3), dtype=torch.uint8)
    with torch.inference_mode():
        encoder.towers.videos(frames[:64])
        began = time.perf_counter()
        for part in frames.split(64):
            encoder.towers.videos(part)
    return count / (time.perf_counter() - began)


def measure(encoder: ShapesEncoder, config: MeasureConfig) -> tuple[ShapesEncoder, dict[str, Any]]:
    """Calibrate and measure an encoder.

    Returns:
        The encoder with its calibration, and all figures as plain dictionaries.
    """
    world = make(
        encoder,
        config.folder / "world",
        seed=config.seed,
        videos={"val": config.calibration_videos, "test": config.videos},
    )
    test = world.part([i for i, video in enumerate(world.videos) if video.split == "test"])
    held_back = world.part([i for i, video in enumerate(world.videos) if video.split == "val"])
    encoder = ShapesEncoder(
        encoder.towers, encoder.words, calibrate(encoder, held_back), encoder.space
    )
    alike = make(
        encoder,
        config.folder / "look_alikes",
        seed=config.seed,
        videos={"test": config.look_alikes},
        look_alikes=True,
    )
    found = measure_probes(encoder, test, held_out=False)
    found["order pairs"] = measure_order(encoder, test)
    found |= measure_retrieval(encoder, test)
    found |= measure_moments(encoder, alike)
    found |= measure_bands(encoder, test)
    unseen = measure_probes(encoder, test, held_out=True)
    found |= {f"{kind}, held-out combinations": value for kind, value in unseen.items()}
    return encoder, {
        "figures": {name: asdict(value) for name, value in found.items()},
        "windows_a_second": measure_speed(encoder),
        "videos": config.videos,
        "look_alikes": config.look_alikes,
        "seed": config.seed,
    }
