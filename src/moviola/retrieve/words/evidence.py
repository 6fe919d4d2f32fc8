"""Turn how a passage compares with a query into the probability that it is what was meant."""

from __future__ import annotations

import math

import numpy as np

from moviola.retrieve.calibration.logistic import Logistic
from moviola.retrieve.words.comparing import Comparison

# Rarer words than this tell no more.
_MOST_NATS = 30.0
#: Fitted by `moviola.experiments.calibration.words`, in the order of `features_of`.
CURVE = Logistic((8.314, 3.756, 6.784, 0.176, -0.148, 2.873), -11.96)


def features_of(compared: Comparison, rivals: int) -> tuple[float, ...]:
    """List what tells of a passage whether it was meant.

    Args:
        compared: the passage with the query.
        rivals: how many videos match about as well, its own included.
    """
    return (
        compared.query_share,
        compared.run_share,
        compared.passage_share,
        min(compared.nats, _MOST_NATS),
        math.log(max(rivals, 1)),
        float(compared.is_pointed),
    )


def probability_of(compared: Comparison, rivals: int) -> float:
    """Return the probability that a passage is what was meant."""
    return float(CURVE.probabilities(np.array([features_of(compared, rivals)]))[0])
