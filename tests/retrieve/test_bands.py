"""Three words for a probability, and no word for none."""

from __future__ import annotations

import pytest

from moviola.retrieve.bands import band_of


@pytest.mark.parametrize(
    ("probability", "band"),
    [
        (1.0, "strong"),
        (0.9, "strong"),
        (0.8999, "likely"),
        (0.5, "likely"),
        (0.4999, "unsure"),
        (0.0, "unsure"),
        (None, None),
    ],
)
def test_a_band_names_the_probability(probability, band):
    assert band_of(probability) == band
