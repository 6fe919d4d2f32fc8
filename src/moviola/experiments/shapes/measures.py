"""Measure the shipped encoder on videos that it has not seen, as they are after coding."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from moviola.encode.shapes.encoder import ShapesEncoder
from moviola.experiments.shapes.calibration import calibrate, measure_bands
from moviola.experiments.shapes.gallery import Gallery, in_sequence, make, score_videos, text_rows
from moviola.experiments.shapes.intervals import Figure, figure
from moviola.experiments.shapes.joining import JoiningConfig, measure_joining
from moviola.experiments.shapes.probes import direction_wins, draw_probes, probe_wins
from moviola.synthetic.shapes import Claim, is_true
from moviola.synthetic.shapes.facts import has_held_out, true_videos
from moviola.synthetic.shapes.grammar import brief_clause, say
from moviola.synthetic.shapes.writing import claims_held_out

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class MeasureConfig:
    """Configure the data on which the encoder is measured."""

    folder: Path
    seed: int = 41
    videos: int = 1000
    calibration_videos: int = 300
    joining: JoiningConfig = field(default_factory=JoiningConfig)


def measure_probes(
    encoder: ShapesEncoder, gallery: Gallery, *, held_out: bool
) -> dict[str, Figure]:
    """Measure attribute probes, binding and directions on one window of each shot."""
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
    """Measure how often a caption beats itself with its clauses exchanged."""
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
    """Measure retrieval of whole videos by captions, and of captions by videos."""
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


def measure_speed(encoder: ShapesEncoder, count: int = 256) -> float:
    """Measure how many windows a second the video tower embeds here."""
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
        The encoder with its calibration and sharpness, and all figures as plain dictionaries.
    """
    world = make(
        encoder,
        config.folder / "world",
        seed=config.seed,
        videos={"val": config.calibration_videos, "test": config.videos},
    )
    test = world.part([i for i, video in enumerate(world.videos) if video.split == "test"])
    held_back = world.part([i for i, video in enumerate(world.videos) if video.split == "val"])
    sharpness, moments = measure_joining(encoder, config.folder, config.joining)
    encoder = ShapesEncoder(
        encoder.towers,
        encoder.words,
        calibrate(encoder, held_back),
        encoder.space,
        sharpness=sharpness,
    )
    found = measure_probes(encoder, test, held_out=False)
    found["order pairs"] = measure_order(encoder, test)
    found |= measure_retrieval(encoder, test)
    found |= measure_bands(encoder, test)
    unseen = measure_probes(encoder, test, held_out=True)
    found |= {f"{kind}, held-out combinations": value for kind, value in unseen.items()}
    return encoder, {
        "figures": {name: asdict(value) for name, value in found.items()},
        "moments": moments,
        "windows_a_second": measure_speed(encoder),
        "videos": config.videos,
        "seed": config.seed,
    }
