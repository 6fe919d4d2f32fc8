"""Estimate how long an index run takes, from a few of its files and what was measured."""

from __future__ import annotations

from collections.abc import Sequence

from moviola.core import VideoUnreadableError
from moviola.library import NewVideo
from moviola.pipeline.bench.record import Bench
from moviola.video import DecodePool

_LOOKED_AT = 3


def estimate_seconds(pool: DecodePool, videos: Sequence[NewVideo], model: str) -> float | None:
    """Estimate the seconds of indexing `videos`; None where nothing is known of the model.

    A few files tell how long a byte lasts. They are taken for 720p.
    """
    bench = Bench.stored()
    if not videos or bench is None or model not in bench.models:
        return None
    by_size = sorted(videos, key=lambda video: video.files[0].size)
    sample = {len(by_size) * (2 * k + 1) // (2 * _LOOKED_AT) for k in range(_LOOKED_AT)}
    lasts = weighs = 0.0
    for place in sample:
        try:
            lasts += pool.probe(by_size[place].path).duration
        except VideoUnreadableError:
            continue
        weighs += by_size[place].files[0].size
    if not weighs:
        return None
    total = sum(video.files[0].size for video in videos)
    return bench.seconds_for(model, lasts * total / weighs)
