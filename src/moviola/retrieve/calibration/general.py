"""Load the general calibration, which holds for encoders that ship none of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Self

from moviola.core.json_text import decode_json
from moviola.retrieve.calibration.features import FEATURES
from moviola.retrieve.calibration.logistic import Logistic

GENERAL_NAME = "general.json"


@dataclass(frozen=True, slots=True)
class GeneralCalibration:
    """Hold what turns the features of a hit into probabilities.

    Attributes:
        right: that the first hit is right.
        later: that one of the second to tenth hits is.
        holds: that the library holds what is asked for at all.
        card: what it was fitted on, and what was measured.
    """

    right: Logistic
    later: Logistic
    holds: Logistic
    card: Mapping[str, Any]

    @classmethod
    def from_json(cls, parts: Mapping[str, Any]) -> Self:
        """Read the parts of `general.json`.

        Raises:
            ValueError: when it was fitted on other features than this version makes.
        """
        if tuple(parts["features"]) != FEATURES:
            raise ValueError(
                f"the calibration is for the features {parts['features']}, this version makes "
                f"{list(FEATURES)}; fit it again with `python -m moviola.experiments.calibration`"
            )
        return cls(
            *(
                Logistic(tuple(map(float, parts[name]["weights"])), float(parts[name]["intercept"]))
                for name in ("right", "later", "holds")
            ),
            card=parts["card"],
        )


@lru_cache(maxsize=1)
def general_calibration() -> GeneralCalibration:
    """Load the calibration that is shipped, once a process."""
    shipped = files("moviola.retrieve.calibration") / GENERAL_NAME
    return GeneralCalibration.from_json(decode_json(shipped.read_text(encoding="utf-8")))
