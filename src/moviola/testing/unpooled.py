"""Check an encoder that is read with and without its pooling."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from moviola.core import Encoder, wanted_sound
from moviola.core.pooling import POOLINGS
from moviola.testing.encoders import check_encoder
from moviola.testing.examples import TEXTS, make_clips
from moviola.testing.promises import require


def check_unpooled(rows: Encoder, pooled: Encoder, *, tolerance: float = 1e-3) -> None:
    """Check that two readings of one model belong together: all its rows, and one an item.

    A store keeps the rows and pools them later, so both must share a space, differ in nothing but
    pooling, and where the pooling has one of our names, come to the same direction.

    Args:
        rows: the encoder with `pooling="none"`; it must pass `check_encoder` too, and is checked.
        pooled: the encoder as it comes.
        tolerance: as in `check_encoder`; also how far 1 may be from a cosine.

    Raises:
        AssertionError: one sentence that names the broken promise.
    """
    check_encoder(rows, tolerance=tolerance)
    require(rows.space == pooled.space, "the rows and the pooled vectors live in different spaces")
    require(
        rows.sampler.spec == pooled.sampler.spec and wanted_sound(rows) == wanted_sound(pooled),
        "the rows are of other frames or another sound than the pooled vectors",
    )
    many = False
    for name, readouts, inputs in (
        ("video", (rows.video_readout, pooled.video_readout), make_clips(pooled)),
        ("text", (rows.text_readout, pooled.text_readout), TEXTS),
    ):
        ours, theirs = readouts
        require(
            replace(ours, pooling=theirs.pooling) == theirs,
            f"{name}_readout differs in more than its pooling",
        )
        if ours.pooling != "none":
            require(ours == theirs, f"{name}_readout pools by {ours.pooling!r} where rows are kept")
            continue
        encode = "encode_videos" if name == "video" else "encode_texts"
        kept, one = getattr(rows, encode)(inputs), getattr(pooled, encode)(inputs)
        many |= any(len(each) > 1 for each in kept)
        if theirs.pooling in POOLINGS:
            for several, single in zip(kept, one, strict=True):
                wanted = POOLINGS[theirs.pooling](several)
                length = float(np.linalg.norm(wanted) * np.linalg.norm(single))
                cosine = float(wanted @ single[0]) / length
                require(
                    cosine >= 1 - tolerance,
                    f"{encode} says that it pools by {theirs.pooling!r}, but the "
                    f"{theirs.pooling} of its rows has a cosine of {cosine:.4f} to its vector",
                )
    require(many, "an encoder with all its rows gives one an item")
