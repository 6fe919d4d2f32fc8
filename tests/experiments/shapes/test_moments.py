"""The joining of windows is chosen where look-alikes need it, and moments are measured."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from moviola.encode.shapes.encoder import WEIGHTS, load
from moviola.experiments.shapes.gallery import Gallery
from moviola.experiments.shapes.moments import (
    GRID,
    choose_sharpness,
    measure_corpus,
    measure_moments,
)
from moviola.synthetic.shapes.world import LEVELS
from moviola.synthetic.shapes.writing import Video, draw, moments_of


def _held(spans: np.ndarray, start: float, end: float) -> np.ndarray:
    overlap = np.minimum(spans[:, 1], end) - np.maximum(spans[:, 0], start)
    return np.clip(overlap, 0, None) / (spans[:, 1] - spans[:, 0])


def _windows(video: Video) -> np.ndarray:
    starts = np.arange(0, video.seconds - 2, 0.5)
    return np.stack([starts, starts + 2], axis=1)


@pytest.fixture(scope="module")
def given():
    """A gallery of look-alikes and an encoder in which each query is an axis.

    A window scores 0.6 where it holds the true shot, and 0.48 where it holds the one like it.
    """
    videos = tuple(
        draw(3, "test", number, level=LEVELS["plain"], look_alikes=True) for number in range(12)
    )
    queries = {moment["query"]: moment for video in videos for moment in moments_of(video)}
    axes = {query: number for number, query in enumerate(queries)}
    vectors = []
    for video in videos:
        spans = _windows(video)
        own = np.zeros((len(spans), len(axes)), np.float32)
        for query, moment in queries.items():
            if moment["vid"] == video.id:
                true = tuple(moment["relevant_windows"][0])
                for start, end in video.spans:
                    same = abs(start - true[0]) < 0.01
                    own[:, axes[query]] += (0.6 if same else 0.48) * _held(spans, start, end)
        vectors.append(own)
    counts = [len(rows) for rows in vectors]
    gallery = Gallery(
        videos,
        np.repeat(np.arange(len(videos)), counts),
        np.concatenate([_windows(video) for video in videos]),
        np.concatenate(vectors),
    )
    rows = np.eye(len(axes), dtype=np.float32)
    encoder = SimpleNamespace(encode_texts=lambda texts: [rows[axes[t]][None] for t in texts])
    return encoder, gallery


def test_look_alikes_ask_for_a_sharper_joining(given):
    encoder, gallery = given
    sharpness = choose_sharpness(encoder, [gallery])
    assert sharpness in GRID
    assert sharpness > 0
    found = measure_moments(encoder, gallery, sharpness)
    sharp = found["R1@IoU0.7, sharpened"]
    plain = found["R1@IoU0.7, by cosines"]
    assert sharp.value >= 0.9
    assert plain.value <= 0.6
    assert sharp.count == plain.count >= 12


def test_of_equal_joinings_the_softest_is_chosen(given):
    encoder, gallery = given
    assert choose_sharpness(encoder, [gallery], [0.0]) == 0
    softest = choose_sharpness(encoder, [gallery])
    assert choose_sharpness(encoder, [gallery], [softest, softest + 0.001]) == softest


def test_the_moments_of_a_gallery_are_ranked_as_a_search_ranks_them(given):
    encoder, gallery = given
    found = measure_corpus(encoder, gallery, 15.0)
    assert found["VR R@1"].value == 1
    assert found["VCMR R@1 IoU0.7"].value >= 0.9
    assert found["VCMR R@1 IoU0.7"].value <= found["SVMR R@1 IoU0.7"].value
    for task in ("VCMR", "SVMR"):
        for limit in ("0.5", "0.7"):
            values = [found[f"{task} R@{k} IoU{limit}"].value for k in (1, 5, 10, 100)]
            assert values == sorted(values)
    assert measure_corpus(encoder, gallery, 0.0)["VCMR R@1 IoU0.7"].value <= 0.6


def test_the_shipped_encoder_asks_for_what_was_measured():
    measured = json.loads((WEIGHTS / "measured.json").read_text(encoding="utf-8"))["moments"]
    assert load().sharpness == measured["sharpness"] > 0
    figures = measured["figures"]
    sharp, plain = (
        figures[f"R1@IoU0.7, {how}, look-alikes"] for how in ("sharpened", "by cosines")
    )
    assert sharp["low"] > plain["high"]
    assert sharp["value"] >= 0.95
    assert figures["R1@IoU0.7, sharpened, ordinary videos"]["value"] >= 0.95
    assert figures["VCMR R@1 IoU0.7"]["value"] >= 0.9
    assert measured["seed"] != measured["chosen_seed"]
