"""Keep a calibration that was made from a user's own pairs on the library that they are about."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from moviola.core import StoreCorruptError, display_path
from moviola.library.storage.state_files import CALIBRATION, read_state, write_state
from moviola.retrieve.calibration.general import GeneralCalibration, general_calibration
from moviola.retrieve.calibration.logistic import Logistic

_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Restated:
    """Restate the general calibration for one library: `slope * logit + intercept`.

    Attributes:
        slope: of the logit.
        intercept: added to it.
    """

    slope: float
    intercept: float

    def __post_init__(self) -> None:
        """Refuse what would make a probability of nothing."""
        if not (math.isfinite(self.slope) and math.isfinite(self.intercept)):
            raise ValueError(f"slope {self.slope} and intercept {self.intercept} are not finite")

    def of(self, general: Logistic) -> Logistic:
        """Apply it to a logistic model."""
        return Logistic(
            tuple(self.slope * weight for weight in general.weights),
            self.slope * general.intercept + self.intercept,
        )


@dataclass(frozen=True, slots=True)
class LibraryCalibration:
    """A calibration from a user's own pairs of captions and videos.

    Attributes:
        right: of the first hit.
        later: of the second to tenth hits.
        holds: that the library holds the thing; None where it was not measured to be worth saying.
        measured: what it was fitted on and what was measured.
    """

    right: Restated
    later: Restated
    holds: Restated | None
    measured: Mapping[str, Any]

    def applied(self) -> GeneralCalibration:
        """Restate the general calibration; without `holds`, nothing is ever called absent."""
        general = general_calibration()
        never = Logistic(tuple(0.0 for _ in general.holds.weights), 1.0)
        return replace(
            general,
            right=self.right.of(general.right),
            later=self.later.of(general.later),
            holds=never if self.holds is None else self.holds.of(general.holds),
            card=self.measured,
        )

    def write(self, library: Path) -> None:
        """Keep it in the folder of a library, in the place of one that was there.

        Raises:
            StorageError: when it cannot be written.
        """
        parts = {"schema": _SCHEMA} | asdict(self)
        write_state(library / CALIBRATION, parts)

    @classmethod
    def read(cls, library: Path) -> Self | None:
        """Read the one of the library in the folder `library`, None where it has none.

        Raises:
            StoreCorruptError: when it cannot be understood, or a newer Moviola wrote it.
        """
        path = library / CALIBRATION
        try:
            return cls._from_json(read_state(path))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise StoreCorruptError(
                f"the calibration {display_path(path)} cannot be used ({error}); delete that file, "
                "or make it again with 'moviola calibrate'"
            ) from error

    @classmethod
    def _from_json(cls, parts: Mapping[str, Any]) -> Self:
        if int(parts["schema"]) > _SCHEMA:
            raise ValueError(f"a newer Moviola wrote it (layout {parts['schema']})")
        return cls(
            Restated(**parts["right"]),
            Restated(**parts["later"]),
            Restated(**parts["holds"]) if parts["holds"] else None,
            parts["measured"],
        )
