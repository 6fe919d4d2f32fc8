"""Heads that an earlier release wrote still open, and map as they did.

`heads_of_0_1` was written by the release before the rooms were divided: one head of every kind,
the first rows that they were fitted on, and where those heads put them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from moviola.align import Aligner
from moviola.align.head.maps import KINDS
from moviola.core import Clip, Embeddings, Readout, Space, Span, Text

_FOLDER = Path(__file__).parent / "heads_of_0_1"
_HEADS = sorted(path.parent.name for path in _FOLDER.glob("*/head.json"))


def _embeddings(items: list, rows: np.ndarray, space: Space) -> Embeddings:
    readout = Readout("224 pixels", pooling="mean")
    return Embeddings(items, np.arange(len(rows) + 1, dtype=np.int64), [rows], space, readout)


@pytest.mark.parametrize("name", _HEADS)
def test_a_head_of_an_earlier_release_maps_as_it_did(name: str) -> None:
    rows, mapped = np.load(_FOLDER / "rows.npz"), np.load(_FOLDER / "mapped.npz")
    texts = [Text(f"t{row}", "") for row in range(len(rows["texts"]))]
    clips = [Clip(f"v{row}", Path(f"v{row}.mp4"), Span(0, 1)) for row in range(len(rows["clips"]))]
    head = Aligner.from_pretrained(_FOLDER / name)
    found = (
        head.align_texts(_embeddings(texts, rows["texts"], Space("words", "1", "aa", 6))),
        head.align_clips(_embeddings(clips, rows["clips"], Space("pictures", "1", "bb", 8))),
    )
    for side, embeddings in zip(("texts", "clips"), found, strict=True):
        np.testing.assert_allclose(embeddings.vectors, mapped[f"{name}.{side}"], atol=1e-5)


def test_there_is_an_earlier_head_of_every_kind() -> None:
    kinds = {Aligner.from_pretrained(_FOLDER / name).maps.kind for name in _HEADS}
    assert kinds == set(KINDS)
