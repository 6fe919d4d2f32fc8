"""Keep what the scores of judges are worth as probabilities, on the library that they judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

import numpy as np

from moviola.core import Space, StoreCorruptError, display_path
from moviola.library.storage.state_files import JUDGE_CALIBRATIONS, read_state, write_state
from moviola.retrieve.calibration.logistic import Logistic, fit_logistic

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SCHEMA = 1
Scale = Literal["probability", "number"]
"""The scale of a judge's scores: in [0, 1], where their logit is taken, or any number."""
_NEAREST = 1e-6
"""Distance from 0 and 1 at which a score is taken for neither."""


@dataclass(frozen=True, slots=True)
class JudgeCalibration:
    """Turn the scores of one judge into probabilities that it is right (Platt, 1999).

    Attributes:
        space: digest of the judge's space.
        scale: of its scores.
        curve: of one feature, the score or its logit.
        measured: what it was fitted on and what was measured.
    """

    space: str
    scale: Scale
    curve: Logistic
    measured: Mapping[str, Any]

    @classmethod
    def fit(
        cls, scores: NDArray[np.float64], right: NDArray[np.bool_], space: Space
    ) -> JudgeCalibration:
        """Fit scores `(n,)` to whether hits were right `(n,)`; more is never less probable.

        Raises:
            ValueError: when all hits are right, or none.
        """
        within = bool(((scores >= 0) & (scores <= 1)).all())
        scale: Scale = "probability" if within else "number"
        found = fit_logistic(_features(scores, scale), right, ridge=1e-4)
        curve = Logistic((max(found.weights[0], 0.0),), found.intercept)
        return cls(space.digest, scale, curve, {})

    def probabilities(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn scores `(n,)` into probabilities `(n,)`."""
        return self.curve.probabilities(_features(scores, self.scale))


@dataclass(frozen=True, slots=True)
class JudgeCalibrations:
    """The calibrations of the judges of one library.

    Attributes:
        by_name: as `--rerank` is told each judge.
    """

    by_name: Mapping[str, JudgeCalibration]

    def of(self, name: str, space: Space) -> JudgeCalibration | None:
        """Find the calibration of a judge; None for another model of that name."""
        found = self.by_name.get(name)
        return found if found is not None and found.space == space.digest else None

    def write(self, library: Path) -> None:
        """Keep them in the folder of a library, in the place of those that were there.

        Raises:
            StorageError: when they cannot be written.
        """
        parts = {"schema": _SCHEMA, "judges": {n: asdict(each) for n, each in self.by_name.items()}}
        write_state(library / JUDGE_CALIBRATIONS, parts)

    @classmethod
    def read(cls, library: Path) -> Self:
        """Read those of the library in the folder `library`; none where it has none.

        Raises:
            StoreCorruptError: when they cannot be understood, or a newer Moviola wrote them.
        """
        path = library / JUDGE_CALIBRATIONS
        try:
            return cls(_by_name(read_state(path)))
        except FileNotFoundError:
            return cls({})
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise StoreCorruptError(
                f"the calibrations of judges {display_path(path)} cannot be used ({error}); delete "
                "that file, or make them again with 'moviola calibrate --judge MODEL'"
            ) from error


def _features(scores: NDArray[np.float64], scale: Scale) -> NDArray[np.float64]:
    """Turn scores `(n,)` into features `(n, 1)`."""
    if scale == "number":
        return scores[:, None]
    kept = np.clip(scores, _NEAREST, 1 - _NEAREST)
    return np.log(kept / (1 - kept))[:, None]


def _by_name(parts: Mapping[str, Any]) -> dict[str, JudgeCalibration]:
    if int(parts["schema"]) > _SCHEMA:
        raise ValueError(f"a newer Moviola wrote it (layout {parts['schema']})")
    return {name: _from_json(told) for name, told in parts["judges"].items()}


def _from_json(told: Mapping[str, Any]) -> JudgeCalibration:
    if told["scale"] not in get_args(Scale):
        raise ValueError(f"a scale is one of {get_args(Scale)}, not {told['scale']!r}")
    curve = told["curve"]
    weights = tuple(map(float, curve["weights"]))
    if len(weights) != 1:
        raise ValueError(f"a judge has one score, not {len(weights)}")
    return JudgeCalibration(
        str(told["space"]),
        told["scale"],
        Logistic(weights, float(curve["intercept"])),
        told["measured"],
    )
