"""What the defaults reach on the shared draw and on real frozen embeddings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from moviola.align.fit import UnseenPairs, fit, measure
from moviola.core import Clip, Embeddings, Readout, Space, Span, Text


def embedded(texts: np.ndarray, clips: np.ndarray) -> tuple[Embeddings[Text], Embeddings[Clip]]:
    unknown = Readout("unknown")
    return (
        Embeddings(
            [Text(f"t{row}", "") for row in range(len(texts))],
            np.arange(len(texts) + 1),
            [texts],
            Space.anonymous(texts.shape[1]),
            unknown,
        ),
        Embeddings(
            [Clip(f"v{row}", Path(), Span(0, 1)) for row in range(len(clips))],
            np.arange(len(clips) + 1),
            [clips],
            Space.anonymous(clips.shape[1]),
            unknown,
        ),
    )


@pytest.mark.shared
def test_the_shared_draw(shared_data: Path) -> None:
    draw = load_file(shared_data / "synthetic_pairs" / "dev_embeddings.safetensors")

    def owner(split: str) -> np.ndarray:
        place = {video: row for row, video in enumerate(draw[f"video_{split}_id"].tolist())}
        return np.array([place[each] for each in draw[f"text_{split}_video_id"].tolist()])

    head = fit(*embedded(draw["text_train"], draw["video_train"]), owner("train"), method="cca")
    test = UnseenPairs(*embedded(draw["text_test"], draw["video_test"]), owner("test"))
    found = measure(head, test).t2v
    assert found["R@1"] >= 37.5
    assert found["MRR"] >= 0.465


@pytest.mark.shared
def test_other_videos_of_real_embeddings(shared_data: Path) -> None:
    folder = shared_data / "frozen_pairs"
    texts, clips, owner = (
        np.load(folder / f"{name}.npy")
        for name in ("caption_embeddings", "video_embeddings", "caption_video_index")
    )
    drawn = np.random.default_rng(1).permutation(len(clips))
    unseen, known = np.sort(drawn[:200]), np.sort(drawn[200:])
    train, test = np.isin(owner, known), np.isin(owner, unseen)
    head = fit(
        *embedded(texts[train], clips[known]), np.searchsorted(known, owner[train]), method="cca"
    )
    asked = UnseenPairs(*embedded(texts[test], clips[unseen]), np.searchsorted(unseen, owner[test]))
    assert measure(head, asked).t2v["MRR"] >= 0.23
