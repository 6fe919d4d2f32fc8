"""Trained heads as methods of one fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from moviola.align.fit import fit
from moviola.align.head.aligner import Aligner
from moviola.align.training.history import measured
from moviola.core import Clip, Embeddings, Readout, Space, Span, Text
from moviola.evaluate.chance import chance_level

KNOWN = 200


def _embedded(items: list, rows: np.ndarray, offsets: np.ndarray | None = None) -> Embeddings:
    offsets = np.arange(len(items) + 1, dtype=np.int64) if offsets is None else offsets
    return Embeddings(items, offsets, [rows], Space.anonymous(rows.shape[1]), Readout("rows"))


def _sides(paired, videos: np.ndarray) -> tuple[Embeddings, Embeddings, np.ndarray]:
    part = paired.only(videos)
    texts = [Text(f"t{row}", "") for row in range(len(part.texts))]
    clips = [Clip(f"v{row}", Path(), Span(0, 1)) for row in range(len(part.clips))]
    return _embedded(texts, part.texts.rows), _embedded(clips, part.clips.rows), part.owner


def _mrr(head: Aligner, texts: Embeddings, clips: Embeddings, owner: np.ndarray) -> float:
    vectors = head.align_texts(texts).vectors, head.align_clips(clips).vectors
    return measured(*vectors, owner)["MRR"]


@pytest.mark.parametrize("method", ["linear", "siglip", "fusemix", "residual", "mlp"])
def test_a_trained_head_ranks_videos_that_it_has_not_seen(paired, tmp_path, method) -> None:
    head = fit(*_sides(paired, np.arange(KNOWN)), method=method)
    unseen = _sides(paired, np.arange(KNOWN, 240))
    assert _mrr(head, *unseen) > 2 * chance_level(40)
    assert head.fit["method"] == method
    assert [epoch["epoch"] for epoch in head.fit["epochs"]] == list(range(len(head.fit["epochs"])))
    assert all(epoch["constant_loss"] > 0 for epoch in head.fit["epochs"])
    head.save_pretrained(tmp_path / "head")
    again = Aligner.from_pretrained(tmp_path / "head")
    assert again.space == head.space
    assert _mrr(again, *unseen) == _mrr(head, *unseen)


def test_two_trained_fits_with_one_seed_are_one_head(paired) -> None:
    known = _sides(paired, np.arange(KNOWN))
    first, again, other = (fit(*known, method="mlp", seed=seed) for seed in (0, 0, 1))
    assert first.space == again.space
    assert first.space != other.space


def test_a_transformer_is_fitted_on_unpooled_rows(paired) -> None:
    texts, clips, owner = _sides(paired, np.arange(KNOWN))
    rng = np.random.default_rng(0)
    # A first token that is the same for all, and two that say something.
    tokens = np.stack([np.full_like(texts.vectors, 3.0), texts.vectors, texts.vectors], axis=1)
    tokens[:, 1:] += 0.1 * rng.normal(size=tokens[:, 1:].shape).astype(np.float32)
    rows = tokens.reshape(-1, tokens.shape[2])
    offsets = np.arange(len(texts) + 1, dtype=np.int64) * 3
    ragged = _embedded(list(texts.items), rows, offsets)
    head = fit(ragged, clips, owner, method="transformer")
    assert head.maps.takes_rows
    assert head.align_texts(ragged).is_pooled
    assert head.fit["val"]["MRR"] > 2 * head.fit["chance_MRR"]


def test_auto_compares_both_heads_on_the_same_captions_of_videos_with_many() -> None:
    rng = np.random.default_rng(5)
    meaning = rng.normal(size=(80, 6))
    owner = np.repeat(np.arange(80), 12)
    clips = (meaning @ rng.normal(size=(6, 16)) + rng.normal(size=(80, 16))).astype(np.float32)
    noise = rng.normal(size=(960, 12))
    texts = (meaning[owner] @ rng.normal(size=(6, 12)) + noise).astype(np.float32)
    head = fit(
        _embedded([Text(f"t{row}", "") for row in range(960)], texts),
        _embedded([Clip(f"v{row}", Path(), Span(0, 1)) for row in range(80)], clips),
        owner,
        method="auto",
    )
    assert head.fit["method"] in {"cca", "linear"}
    assert head.fit["val"]["MRR"] > 2 * head.fit["chance_MRR"]
