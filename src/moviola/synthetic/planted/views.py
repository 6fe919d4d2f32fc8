"""Model how the towers of the planted pairs see a meaning, and what they add to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from moviola.synthetic.planted.world import LATENT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_HIDDEN = 512
#: Private factors of a tower, with variance `i ** -1.2`.
_FACTORS = 200
#: Dimensions of massive activation, their size, and their size at the start of a text.
_MASSIVE, _SIZE, _START_SIZE = 3, 20.0, 120.0


@dataclass(frozen=True, slots=True)
class Mixture:
    """Set shares of the variance, and how much of the videos' map the texts' map has."""

    signal: float
    nuisance: float
    noise: float
    shared: float

    @classmethod
    def of(cls, dimension: int) -> Self:
        """Choose what makes a draw of this many dimensions about as hard as a real one."""
        if dimension < 2048:
            return cls(signal=0.12, nuisance=0.63, noise=0.25, shared=0.7)
        return cls(signal=0.06, nuisance=0.44, noise=0.50, shared=0.6)


@dataclass(frozen=True, slots=True)
class View:
    """Model one tower.

    Attributes:
        mixture: shares of the variance.
        linear: `(192, 512)`.
        first: `(192, 512)`.
        bias: `(512,)`.
        second: `(512, 512)`.
        widths: `(512,)` how strongly each hidden direction shows.
        out: `(512, D)`.
        loadings: `(200, D)` of the private factors.
        noise: how many noises are averaged.
        scale: `(D,)` of every dimension.
        mean: `(D,)` common to all rows.
        massive: `(3,)` dimensions of massive activation.
        size: `(3,)` their signed size.
        start: `(D,)` the state at the start of a text: the same for all.
        shared: the tower whose map is mixed into this one.
    """

    mixture: Mixture
    linear: Floats
    first: Floats
    bias: Floats
    second: Floats
    widths: Floats
    out: Floats
    loadings: Floats
    noise: int
    scale: Floats
    mean: Floats
    massive: NDArray[np.int64]
    size: Floats
    start: Floats
    shared: View | None = None

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        dimension: int,
        mixture: Mixture,
        *,
        noise: int,
        shared: View | None = None,
    ) -> Self:
        """Draw a tower of random maps."""
        factors = np.arange(1, _FACTORS + 1) ** -0.6
        factors /= np.linalg.norm(factors)
        massive = rng.choice(dimension, _MASSIVE, replace=False)
        signs = rng.choice([-1.0, 1.0], _MASSIVE)
        start = 1.2 * rng.standard_normal(dimension)
        start[massive] = signs * _START_SIZE
        return cls(
            mixture,
            linear=_weights(rng, LATENT, _HIDDEN),
            first=_weights(rng, LATENT, _HIDDEN),
            bias=(0.5 * rng.standard_normal(_HIDDEN)).astype(np.float32),
            second=_weights(rng, _HIDDEN, _HIDDEN),
            widths=_rms_one(np.arange(1.0, _HIDDEN + 1) ** -0.25),
            out=_weights(rng, _HIDDEN, dimension),
            loadings=(factors[:, None] * rng.standard_normal((_FACTORS, dimension))).astype(
                np.float32
            ),
            noise=noise,
            scale=_rms_one(np.exp(0.5 * rng.standard_normal(dimension))),
            mean=(1.2 * rng.standard_normal(dimension)).astype(np.float32),
            massive=massive,
            size=(signs * _SIZE * (1 + 0.15 * rng.standard_normal(_MASSIVE))).astype(np.float32),
            start=start.astype(np.float32),
            shared=shared,
        )

    @property
    def dimension(self) -> int:
        """Count the dimensions D."""
        return self.out.shape[1]

    def nuisance(self, rng: np.random.Generator, count: int) -> Floats:
        """Draw `(count, 200)` private factors."""
        return rng.standard_normal((count, _FACTORS), np.float32)

    def see(
        self, rng: np.random.Generator, meaning: Floats, *, nuisance: Floats | None = None
    ) -> Floats:
        """Map meanings `(n, 192)` to rows `(n, D)`, with their own nuisance unless it is given."""
        if nuisance is None:
            nuisance = self.nuisance(rng, len(meaning))
        rows = np.float32(np.sqrt(self.mixture.signal)) * self.signal(meaning)
        rows += np.float32(np.sqrt(self.mixture.nuisance)) * (nuisance @ self.loadings)
        noise = rng.standard_normal(rows.shape, np.float32)
        rows += np.float32(np.sqrt(self.mixture.noise / self.noise)) * noise
        rows *= self.scale
        rows += self.mean
        jitter = 1 + 0.05 * rng.standard_normal((len(rows), _MASSIVE), np.float32)
        rows[:, self.massive] = self.size * jitter
        return rows

    def signal(self, meaning: Floats) -> Floats:
        """Map meanings `(n, 192)` to rows `(n, D)` without anything around them."""
        own = self.hidden(meaning) @ self.out
        if self.shared is None:
            return own
        share = self.mixture.shared
        theirs = self.shared.hidden(meaning) @ self.shared.out
        return np.asarray(np.sqrt(1 - share**2) * own + share * theirs, np.float32)

    def hidden(self, meaning: Floats) -> Floats:
        """Map to `(n, 512)`: all but the last, linear step."""
        inputs = meaning * np.float32(np.sqrt(LATENT))
        bent = np.tanh(2 * inputs @ self.first + self.bias) @ self.second
        straight = inputs @ self.linear
        mixed = np.sqrt(0.4) * straight + 1.4 * np.sqrt(0.6) * bent
        return np.asarray(mixed * self.widths, np.float32)


def _weights(rng: np.random.Generator, fan_in: int, fan_out: int) -> Floats:
    drawn = rng.standard_normal((fan_in, fan_out), np.float32)
    return np.asarray(drawn / np.sqrt(fan_in), np.float32)


def _rms_one(values: NDArray[np.floating]) -> Floats:
    return (values / np.sqrt((values**2).mean())).astype(np.float32)
