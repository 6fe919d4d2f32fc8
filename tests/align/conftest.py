"""Pairs that a head can learn, in a second."""

from __future__ import annotations

import numpy as np
import pytest

from moviola.align.data.rows import RaggedRows
from moviola.align.data.splitting import VideoSplit
from moviola.align.training.batches import PairedRows

VIDEOS, CAPTIONS = 240, 2


@pytest.fixture(scope="session")
def paired() -> PairedRows:
    """240 videos of two captions, of other dimensions, that share 12 hidden numbers."""
    rng = np.random.default_rng(0)
    meant = rng.normal(size=(VIDEOS, 12))
    owner = np.repeat(np.arange(VIDEOS), CAPTIONS)
    videos = meant @ rng.normal(size=(12, 24)) + 0.3 * rng.normal(size=(VIDEOS, 24))
    texts = meant[owner] @ rng.normal(size=(12, 16)) + 0.3 * rng.normal(size=(len(owner), 16))
    sides = [RaggedRows.pooled(side.astype(np.float32)) for side in (texts, videos)]
    return PairedRows(sides[0], sides[1], owner)


@pytest.fixture(scope="session")
def split() -> VideoSplit:
    return VideoSplit(np.arange(160), np.arange(160, 200), np.arange(200, 240))
