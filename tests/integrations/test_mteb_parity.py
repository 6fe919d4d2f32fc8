"""Vectors of mteb's own wrappers, and ours of the same weights, texts and decoded frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from integrations.mteb_vectors import KINDS, TEXTS, VECTORS, digest, frames
from moviola.core import Frames
from moviola.plugins import load_encoder

LEAST = 0.99999


@pytest.fixture(scope="module")
def theirs() -> dict[str, np.ndarray]:
    with np.load(VECTORS) as found:
        return dict(found)


@pytest.fixture(params=KINDS)
def pair(request, make_checkpoint, theirs):
    kind: str = request.param
    folder: Path = make_checkpoint(kind)
    if digest(folder) != str(theirs[f"{kind}-weights"]):
        pytest.fail("these are other weights than the vectors are of; run mteb_vectors.py anew")
    options = {} if kind == "xclip" else {"pooling": "none"}
    name = f"{'xclip' if kind == 'xclip' else 'two-tower'}:{folder}"
    encoder = load_encoder(name, precision="float32", **options)
    return encoder, theirs[f"{kind}-texts"], theirs[f"{kind}-videos"]


def least_cosine(ours: np.ndarray, theirs: np.ndarray) -> float:
    ours, theirs = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (ours, theirs))
    return float((ours * theirs).sum(1).min())


def test_texts_are_those_of_mteb(pair):
    encoder, texts, _ = pair
    assert least_cosine(np.concatenate(encoder.encode_texts(TEXTS)), texts) >= LEAST


def test_frames_and_videos_are_those_of_mteb(pair):
    encoder, _, videos = pair
    clips = [Frames(clip, np.arange(8) / 4.0) for clip in frames()]
    assert least_cosine(np.concatenate(encoder.encode_videos(clips)), videos) >= LEAST
