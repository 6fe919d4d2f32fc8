"""One encoder, read in every way that was asked for: readouts and layers, then poolings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from moviola.core import (
    Encoder,
    Frames,
    FrameSampler,
    FrameTower,
    ManyReadouts,
    Precision,
    Readout,
    Shrink,
    SoundSpec,
    Space,
    own_frame_tower,
    own_shrink,
    told_precision,
    wanted_sound,
)
from moviola.core.pooling import pool_rows, require_pooling
from moviola.core.token_pooling import TokenPooling
from moviola.plugins import encoder_options, load_encoder, precision_options

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.float32]

Kind = Literal["clips", "texts"]


@dataclass(frozen=True, slots=True)
class ReadoutRequest:
    """Choose what is read of a model.

    Attributes:
        model: the encoder's name.
        readouts: names of readouts; empty takes the model's own. Only some models have several.
        layers: which layers, such as `all` or `0,8,16-24`; `""` takes the readout's own.
        poolings: names of poolings, `"none"` for all rows; empty takes the readout's own.
        precision: that the model computes in; None takes that of the device.
    """

    model: str
    readouts: Sequence[str] = ()
    layers: str = ""
    poolings: Sequence[str] = ()
    precision: Precision | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One store's worth of a tower.

    Attributes:
        name: what tells it from the others of the run, such as `echo/layer-07/mean`; `""` for the
            only one.
        readout: how the tower is read for it.
        source: name under which the encoder reads the rows that become it.
        pooling: what is then done to them.
    """

    name: str
    readout: Readout
    source: str = ""
    pooling: str = "none"


@dataclass(frozen=True, slots=True)
class TowerReadings:
    """One tower of an encoder; every input gives the rows of all readings at once."""

    encoder: Encoder
    readings: tuple[Reading, ...]

    @property
    def space(self) -> Space:
        """Return the space of the rows of every reading."""
        return self.encoder.space

    @property
    def sampler(self) -> FrameSampler:
        """Return the sampler of the frames that the encoder wants."""
        return self.encoder.sampler

    def precision(self, kind: Kind) -> str:
        """Return the precision that clips or texts are computed in; `""` where it is not told."""
        return told_precision(self.encoder, kind) or ""

    @property
    def sound(self) -> SoundSpec | None:
        """Return the specification of the sound that the encoder wants."""
        return wanted_sound(self.encoder)

    @property
    def shrink(self) -> Shrink | None:
        """Return what reduces frames for the encoder."""
        return own_shrink(self.encoder)

    @property
    def frame_tower(self) -> FrameTower[tuple[Rows, ...]] | None:
        """Return what encodes frames one by one, None where the encoder sees them together."""
        own = own_frame_tower(self.encoder)
        return None if own is None else _FrameReadings(own, self)

    def encode_texts(self, texts: Sequence[str]) -> list[tuple[Rows, ...]]:
        """Encode every text to `(n_i, D)` rows of each reading."""
        if isinstance(self.encoder, ManyReadouts):
            return [self.ordered(rows) for rows in self.encoder.read_texts(texts)]
        return [self.ordered({"": rows}) for rows in self.encoder.encode_texts(texts)]

    def encode_videos(self, clips: Sequence[Frames]) -> list[tuple[Rows, ...]]:
        """Encode every clip to `(n_i, D)` rows of each reading."""
        if isinstance(self.encoder, ManyReadouts):
            return [self.ordered(rows) for rows in self.encoder.read_videos(clips)]
        return [self.ordered({"": rows}) for rows in self.encoder.encode_videos(clips)]

    def ordered(self, rows: Mapping[str, Rows]) -> tuple[Rows, ...]:
        """Pool rows of one input, by the names of their readouts, to those of each reading."""
        return tuple(
            pool_rows(rows[reading.source], reading.pooling).astype(np.float32, copy=False)
            for reading in self.readings
        )


@dataclass(frozen=True, slots=True)
class _FrameReadings:
    """Read the frames of an encoder once for all readings."""

    tower: FrameTower[Rows]
    readings: TowerReadings

    def encode_frames(self, frames: Sequence[NDArray[np.uint8]]) -> Rows:
        """Encode frames to rows `(N, D)`."""
        return self.tower.encode_frames(frames)

    def pool_frames(self, clips: Sequence[Rows]) -> list[tuple[Rows, ...]]:
        """Make the rows of each reading out of those of each clip's frames."""
        return [self.readings.ordered({"": rows}) for rows in self.tower.pool_frames(clips)]


def read_tower(request: ReadoutRequest, kind: Kind) -> TowerReadings:
    """Prepare the tower for clips or for texts to be read in all the ways asked for.

    Raises:
        PluginNotFoundError: when there is no such model.
        ValueError: when it has no such readout, layer or pooling.
    """
    poolings = tuple(dict.fromkeys(request.poolings))
    for name in sorted(poolings):
        require_pooling(name)
    asked = tuple(dict.fromkeys(map(_asked_of_model, poolings)))
    encoder = _loaded(request, asked)
    clips = kind == "clips"
    if isinstance(encoder, ManyReadouts):
        found = encoder.video_readouts if clips else encoder.text_readouts
        return TowerReadings(encoder, tuple(_readings(found, poolings, asked)))
    own = encoder.video_readout if clips else encoder.text_readout
    refuse_attention(request.model, poolings)
    readings = tuple(
        Reading(name if len(poolings) > 1 else "", replace(own, pooling=name), pooling=name)
        for name in poolings
    )
    return TowerReadings(encoder, readings or (Reading("", own),))


def _asked_of_model(pooling: str) -> str:
    """Name the pooling that a model of many readouts is asked for, to have this one made of it."""
    tokens = TokenPooling.parse(pooling)
    return "none" if tokens is not None and tokens.kind == "hierarchical" else pooling


def _readings(
    found: Mapping[str, Readout], poolings: Sequence[str], asked: Sequence[str]
) -> Iterator[Reading]:
    """List the readings of a model of many readouts, those of its unpooled rows included."""
    for source, readout in found.items():
        stem = source
        if len(asked) > 1:  # the last part of the name is the pooling
            stem = source.rpartition("/")[0]
        for name in poolings or (readout.pooling,):
            if poolings and _asked_of_model(name) != readout.pooling:
                continue
            parts = (stem, name if len(poolings) > 1 else "")
            pooling = name if name != readout.pooling else "none"
            yield Reading(
                "/".join(part for part in parts if part),
                replace(readout, pooling=name),
                source,
                pooling,
            )


def refuse_attention(model: str, poolings: Sequence[str]) -> None:
    """Refuse poolings by attention of a model that is no language model.

    Raises:
        ValueError: naming the pooling, and one that the model can have.
    """
    for name in poolings:
        tokens = TokenPooling.parse(name)
        if tokens is not None and tokens.kind == "attention":
            raise ValueError(
                f"the model {model!r} tells no attention among its rows, which {name} needs; take "
                f"hierarchical-{tokens.rows}"
            )


def stored_texts(encoder: Encoder, texts: Sequence[str]) -> list[Rows]:
    """Rows of texts as `moviola encode` stores them, on which heads are fitted.

    Those of a model with many readouts are as the model made them, whatever their lengths.
    """
    if isinstance(encoder, ManyReadouts):
        return [next(iter(rows.values())) for rows in encoder.read_texts(texts)]
    return encoder.encode_texts(texts)


def stored_clips(encoder: Encoder, clips: Sequence[Frames]) -> list[Rows]:
    """Rows of clips as `moviola encode` stores them, as `stored_texts`."""
    if isinstance(encoder, ManyReadouts):
        return [next(iter(rows.values())) for rows in encoder.read_videos(clips)]
    return encoder.encode_videos(clips)


def _loaded(request: ReadoutRequest, poolings: tuple[str, ...]) -> Encoder:
    given = precision_options(request.model, request.precision)
    if not (request.readouts or request.layers or poolings):
        return load_encoder(request.model, **given)
    options = encoder_options(request.model)
    if "readout" in options:
        wanted = {"readout": request.readouts, "layers": request.layers, "pooling": poolings}
        return load_encoder(
            request.model, **given, **{name: each for name, each in wanted.items() if each}
        )
    if request.readouts or request.layers:
        raise ValueError(
            f"the model {request.model!r} is read in one way only; leave --readout and --layers out"
        )
    if "pooling" not in options:
        raise ValueError(
            f"the model {request.model!r} pools by itself and keeps no rows; leave --pool out"
        )
    return load_encoder(request.model, **given, pooling="none")
