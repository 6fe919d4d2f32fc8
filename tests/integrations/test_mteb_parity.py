"""Vectors of mteb's own wrappers, and ours of the same weights, texts and decoded frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fixtures.checkpoints import save_videoprism
from fixtures.mteb_vectors import KINDS, VECTORS, digest, frames, texts
from moviola.core import Frames
from moviola.plugins import load_encoder

LEAST = 0.99999


@pytest.fixture(scope="module")
def theirs() -> dict[str, np.ndarray]:
    with np.load(VECTORS) as found:
        return dict(found)


@pytest.fixture(params=KINDS)
def pair(request, make_checkpoint, theirs, tmp_path):
    kind: str = request.param
    folder: Path = tmp_path
    if kind == "videoprism":
        save_videoprism(folder)
    else:
        folder = make_checkpoint(kind)
    if digest(folder) != str(theirs[f"{kind}-weights"]):
        pytest.fail("these are other weights than the vectors are of; run mteb_vectors.py anew")
    family = kind if kind in {"xclip", "videoprism"} else "two-tower"
    options = {"pooling": "none"} if family == "two-tower" else {}
    encoder = load_encoder(f"{family}:{folder}", precision="float32", **options)
    return kind, encoder, theirs[f"{kind}-texts"], theirs[f"{kind}-videos"]


def least_cosine(ours: np.ndarray, theirs: np.ndarray) -> float:
    ours, theirs = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (ours, theirs))
    return float((ours * theirs).sum(1).min())


def test_texts_are_those_of_mteb(pair):
    kind, encoder, wanted, _ = pair
    assert least_cosine(np.concatenate(encoder.encode_texts(texts(kind))), wanted) >= LEAST


def test_frames_and_videos_are_those_of_mteb(pair):
    kind, encoder, _, wanted = pair
    clips = [Frames(clip, np.arange(len(clip)) / 4.0) for clip in frames(kind)]
    assert least_cosine(np.concatenate(encoder.encode_videos(clips)), wanted) >= LEAST
