"""One encoder, read in every way that was asked for: readouts and layers, then poolings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from moviola.core import (
    Encoder,
    Frames,
    FrameSampler,
    ManyReadouts,
    Precision,
    Readout,
    SoundSpec,
    Space,
    told_precision,
    wanted_sound,
)
from moviola.core.pooling import find_pooling
from moviola.plugins import encoder_options, load_encoder, precision_options

if TYPE_CHECKING:
    import numpy as np
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
    """

    name: str
    readout: Readout


@dataclass(frozen=True, slots=True)
class TowerReadings:
    """One tower of an encoder; every input gives the rows of all readings at once."""

    encoder: Encoder
    readings: tuple[Reading, ...]
    poolings: tuple[str, ...]

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

    def encode_texts(self, texts: Sequence[str]) -> list[tuple[Rows, ...]]:
        """Encode every text to `(n_i, D)` rows of each reading."""
        if isinstance(self.encoder, ManyReadouts):
            return [self._ordered(rows) for rows in self.encoder.read_texts(texts)]
        return [self._pooled(rows) for rows in self.encoder.encode_texts(texts)]

    def encode_videos(self, clips: Sequence[Frames]) -> list[tuple[Rows, ...]]:
        """Encode every clip to `(n_i, D)` rows of each reading."""
        if isinstance(self.encoder, ManyReadouts):
            return [self._ordered(rows) for rows in self.encoder.read_videos(clips)]
        return [self._pooled(rows) for rows in self.encoder.encode_videos(clips)]

    def _ordered(self, rows: Mapping[str, Rows]) -> tuple[Rows, ...]:
        return tuple(rows[reading.name] for reading in self.readings)

    def _pooled(self, rows: Rows) -> tuple[Rows, ...]:
        if not self.poolings:
            return (rows,)
        return tuple(
            rows if name == "none" else find_pooling(name)(rows)[None] for name in self.poolings
        )


def read_tower(request: ReadoutRequest, kind: Kind) -> TowerReadings:
    """Prepare the tower for clips or for texts to be read in all the ways asked for.

    Raises:
        PluginNotFoundError: when there is no such model.
        ValueError: when it has no such readout, layer or pooling.
    """
    poolings = tuple(dict.fromkeys(request.poolings))
    for name in sorted(set(poolings) - {"none"}):
        find_pooling(name)
    encoder = _loaded(request, poolings)
    clips = kind == "clips"
    if isinstance(encoder, ManyReadouts):
        found = encoder.video_readouts if clips else encoder.text_readouts
        return TowerReadings(encoder, tuple(Reading(*pair) for pair in found.items()), ())
    own = encoder.video_readout if clips else encoder.text_readout
    readings = tuple(
        Reading(name if len(poolings) > 1 else "", replace(own, pooling=name)) for name in poolings
    )
    return TowerReadings(encoder, readings or (Reading("", own),), poolings)


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
