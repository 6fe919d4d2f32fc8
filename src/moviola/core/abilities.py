"""Name what an encoder, a sampler or a correction may be able to do beyond its protocol.

Each ability is a small protocol that is asked for by `isinstance`; who lacks it is simply without
it. `moviola.testing.check_encoder` checks those that an encoder has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from moviola.core.frames import Frames, SoundSpec
from moviola.core.protocols import Encoder, FrameSampler, Scorer
from moviola.core.sampling import PictureSize
from moviola.core.spaces import Readout, Space
from moviola.core.spans import Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Precision = Literal["float32", "bfloat16"]
TowerName = Literal["clips", "texts"]


@runtime_checkable
class Sized(Protocol):
    """Want frames in one size: an ability of a `FrameSampler`.

    FFmpeg's own filter resizes them while they are decoded, and the sampler names the size in
    its `spec`.
    """

    @property
    def size(self) -> PictureSize | None:
        """Return the wanted size, None where the reader may choose."""
        ...


@runtime_checkable
class Chooses(Protocol):
    """Choose among the frames that a file has: an ability of a `FrameSampler`."""

    def choose(self, span: Span, shown: NDArray[np.float64], /) -> NDArray[np.float64]:
        """Choose among the seconds `(n,)`, n >= 1, at which frames of `span` are shown."""
        ...


@runtime_checkable
class Hears(Protocol):
    """Hear the sound of clips: an ability of an `Encoder`.

    Where `sound` is a `SoundSpec`, each of its clips comes with `Frames.sound`.
    """

    @property
    def sound(self) -> SoundSpec | None:
        """Return the wanted sound, None for none."""
        ...


@runtime_checkable
class Curve(Protocol):
    """Turn a score into a probability: `1 / (1 + exp(-(slope * score + intercept)))`."""

    @property
    def slope(self) -> float:
        """Return what a score is multiplied by."""
        ...

    @property
    def intercept(self) -> float:
        """Return what is added to that."""
        ...


@runtime_checkable
class Calibrated(Protocol):
    """Know how likely a hit of some score is right: an ability of an `Encoder`."""

    @property
    def calibration(self) -> Curve | None:
        """Return the curve, None where nothing was measured."""
        ...


@runtime_checkable
class Sharpened(Protocol):
    """Know how sharply to tell scores apart where windows are joined: an ability of an `Encoder`.

    A search joins the neighbouring windows of a video by `exp(sharpness * score)` of a sentence;
    the scores that it shows and orders by stay as they are.
    """

    @property
    def sharpness(self) -> float:
        """Return what a score is multiplied by, at least 0; 0 joins by the scores themselves."""
        ...


@runtime_checkable
class BringsScorer(Protocol):
    """Score its own rows by more than a cosine: an ability of an `Encoder`."""

    @property
    def scorer(self) -> Scorer | None:
        """Return what scores its rows, None where the cosine or the dot product does."""
        ...


@runtime_checkable
class TellsPrecision(Protocol):
    """Tell in which precision each tower computes: an ability of an `Encoder`."""

    def precision(self, tower: TowerName) -> Precision:
        """Return the precision of matrix products of the tower for `"clips"` or `"texts"`."""
        ...


@runtime_checkable
class ManyReadouts(Encoder, Protocol):
    """Read one model in several ways at once, such as at several layers.

    Its factory takes `readout`, `layers` and `pooling`, which say how; as an `Encoder` it gives
    the first of them.
    """

    @property
    def text_readouts(self) -> Mapping[str, Readout]:
        """Return how texts are read, by names that can be folders; `""` for a single one."""
        ...

    @property
    def video_readouts(self) -> Mapping[str, Readout]:
        """Return how videos are read, under the same names."""
        ...

    def read_texts(self, texts: Sequence[str]) -> list[Mapping[str, NDArray[np.float32]]]:
        """Encode every text to `(n_i, D)` float32 under each name, as the model made them."""
        ...

    def read_videos(self, clips: Sequence[Frames]) -> list[Mapping[str, NDArray[np.float32]]]:
        """Encode every clip to `(n_i, D)` float32 under each name, as the model made them."""
        ...


@runtime_checkable
class Tempered(Protocol):
    """Divide scores by a temperature: an ability of a correction."""

    @property
    def temperature(self) -> float:
        """Return the temperature, in the unit of the scores."""
        ...


@runtime_checkable
class PairScorer(Protocol):
    """Score texts against the frames of clips, both at once, as cross-attending models do.

    What `moviola.load_scorer` gives. There are no vectors to keep, so it is for the best hits of
    an encoder and for small galleries.
    """

    @property
    def space(self) -> Space:
        """Return which model scores: its id, revision and a digest of its weights."""
        ...

    @property
    def sampler(self) -> FrameSampler:
        """Return which frames of a clip it wants."""
        ...

    def score_pairs(self, texts: Sequence[str], clips: Sequence[Frames]) -> NDArray[np.float32]:
        """Score the i-th text against the i-th clip, `(N,)` float32; higher is better.

        Raises:
            ValueError: when there are not as many texts as clips.
        """
        ...

    def score(self, texts: Sequence[str], clips: Sequence[Frames]) -> NDArray[np.float32]:
        """Score every text against every clip, `(T, C)` float32; higher is better."""
        ...


def wanted_size(sampler: FrameSampler) -> PictureSize | None:
    """Return the size that `sampler` wants frames in, None where the reader may choose."""
    return sampler.size if isinstance(sampler, Sized) else None


def wanted_sound(hearer: Encoder | PairScorer) -> SoundSpec | None:
    """Return the sound that an encoder or a scorer wants, None where it hears nothing."""
    return hearer.sound if isinstance(hearer, Hears) else None


def own_calibration(encoder: Encoder) -> Curve | None:
    """Return the calibration that an encoder ships, None where it has none."""
    return encoder.calibration if isinstance(encoder, Calibrated) else None


def own_sharpness(encoder: Encoder) -> float:
    """Return how sharply an encoder wants its windows joined, 0 where it says nothing."""
    return float(encoder.sharpness) if isinstance(encoder, Sharpened) else 0.0


def own_scorer(encoder: Encoder) -> Scorer | None:
    """Return the scorer that an encoder brings for its rows, None where it has none."""
    return encoder.scorer if isinstance(encoder, BringsScorer) else None


def told_precision(encoder: Encoder, tower: TowerName) -> Precision | None:
    """Return the precision that one tower of an encoder computes in, None where it tells none."""
    return encoder.precision(tower) if isinstance(encoder, TellsPrecision) else None
