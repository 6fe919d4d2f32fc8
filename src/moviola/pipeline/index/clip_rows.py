"""Make the rows that clips of a library keep for late interaction, and the vectors beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import Space
from moviola.core.pooling import pool_rows, require_pooling
from moviola.core.token_pooling import TokenPooling
from moviola.pipeline.encode.readouts import refuse_attention
from moviola.plugins import encoder_options
from moviola.plugins.checkpoints import join_options, split_options

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.float32]


def name_with_rows(name: str, pooling: str, *, head: Path | str | None) -> str:
    """Add to the name of a model that it keeps its rows, for a library that pools them itself.

    Raises:
        PluginNotFoundError: when there is no such model.
        ValueError: when `pooling` leaves one row, or the model pools by itself, or there is a head.
    """
    require_pooling(pooling)
    tokens = TokenPooling.parse(pooling)
    if pooling != "none" and tokens is None:
        raise ValueError(
            f"{pooling} leaves one row of a clip; take none for all rows, or hierarchical-N for N"
        )
    if head is not None:
        raise ValueError("a head maps one vector a clip; leave --head or --rows out")
    if "pooling" not in encoder_options(name):
        raise ValueError(f"the model {name!r} pools by itself and keeps no rows; leave --rows out")
    if "readout" not in encoder_options(name):
        refuse_attention(name, [pooling])
    bare, options = split_options(name)
    own = pooling if tokens is not None and tokens.kind == "attention" else "none"
    return join_options(bare, options | {"pooling": own})


def require_cosine(space: Space) -> None:
    """Refuse a model whose scores need lengths, for rows of a library keep directions alone.

    Raises:
        ValueError: when the metric of its space is `dot`.
    """
    if space.metric == "dot":
        raise ValueError(
            f"the model {space.model!r} means dot products, and rows keep directions alone; leave "
            "--rows out"
        )


def pool_clips(rows: Sequence[Rows], pooling: str) -> tuple[Rows, list[Rows]]:
    """Pool the rows `(n_i, D)` of each clip; also average them to vectors `(clips, D)`, all unit.

    Rows that have no direction are kept as they are: the library refuses the video, and says why.
    """
    kept: list[Rows] = []
    vectors: list[Rows] = []
    for own in rows:
        lengths = np.linalg.norm(own, axis=1, keepdims=True)
        if not (np.isfinite(lengths) & (lengths > 0)).all():
            kept.append(own)
            vectors.append(own[0])
            continue
        unit = own / lengths
        mean = unit.mean(axis=0)
        length = float(np.linalg.norm(mean))
        vectors.append(mean / np.float32(length) if length > 1e-6 else unit[0])
        own_pooling = "none" if pooling.startswith("attention") else pooling
        kept.append(pool_rows(unit, own_pooling).astype(np.float32, copy=False))
    return np.stack(vectors), kept
