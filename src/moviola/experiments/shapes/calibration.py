"""Calibrate the shipped encoder's scores, and measure what its bands mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from moviola.encode.shapes.encoder import Calibration, ShapesEncoder
from moviola.experiments.shapes.gallery import Gallery, text_rows
from moviola.experiments.shapes.intervals import Figure, figure

if TYPE_CHECKING:
    from numpy.typing import NDArray

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


def _top_hits(encoder: ShapesEncoder, gallery: Gallery, seed: int) -> tuple[Any, Any, Any, Any]:
    """Score the best hits of one-clause queries, half of them about things taken away.

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
            truth = gallery.window_truth(claim)
            if gone:
                there = np.isin(gallery.owner, gallery.owner[truth])
                cosines = np.where(there, -1, cosines)
            top = int(cosines.argmax())
            scores.append(float(cosines[top]))
            right.append(not gone and bool(truth[top]))
            absent.append(gone)
            owner.append(i)
    return np.array(scores), np.array(right), np.array(absent), np.array(owner)


def fit_logistic(scores: NDArray[np.float64], right: NDArray[np.bool_]) -> Calibration:
    """Fit the chance of being right to a score by Newton's method.

    Platt, "Probabilistic outputs for support vector machines", 1999, with its softened targets, so
    that the curve stays finite where scores separate right from wrong.
    """
    yes, no = int(right.sum()), int((~right).sum())
    target = np.where(right, (yes + 1) / (yes + 2), 1 / (no + 2))
    x = np.stack([scores, np.ones_like(scores)], 1)
    weights = np.zeros(2)
    for _ in range(50):
        chance = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        curve = (x * (chance * (1 - chance))[:, None]).T @ x + 1e-6 * np.eye(2)
        weights += np.linalg.solve(curve, x.T @ (target - chance) - 1e-6 * weights)
    return Calibration(float(weights[0]), float(weights[1]))


def calibrate(encoder: ShapesEncoder, gallery: Gallery) -> Calibration:
    """Calibrate an encoder on the windows of a gallery, one a second."""
    every = gallery.part(range(len(gallery.videos)), every=2)
    scores, right, _, _ = _top_hits(encoder, every, 21)
    return fit_logistic(scores, right)


def measure_bands(encoder: ShapesEncoder, gallery: Gallery) -> dict[str, Figure]:
    """Measure how often each band is right, and how often absent things look present."""
    every = gallery.part(range(0, len(gallery.videos), 3), every=2)
    scores, right, absent, owner = _top_hits(encoder, every, 22)
    chance = np.array([encoder.calibration.probability(score) for score in scores])
    strange = (text_rows(encoder, STRANGE) @ every.vectors.T).max(1)
    unsure = np.array([encoder.calibration.probability(float(score)) < 0.5 for score in strange])
    strong = chance >= 0.9
    found = {
        "unsure, of queries about absent things of this world": figure(
            chance[absent] < 0.5, owner[absent]
        ),
        "unsure, of queries about other worlds": figure(unsure, range(len(unsure))),
        "strong, of queries with an answer": figure(strong[~absent], owner[~absent]),
    }
    if strong.any():
        found["right, of strong hits"] = figure(right[strong], owner[strong])
    return found
