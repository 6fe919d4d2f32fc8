"""Bands and probabilities, by a small example that can be counted by hand."""

from __future__ import annotations

import pytest

from moviola.evaluate.moments.bands import Judged, measure_bands


def test_shares_and_the_error_are_what_can_be_counted():
    hits = [
        Judged("strong", 0.95, right=True),
        Judged("strong", 0.91, right=True),
        Judged("likely", 0.6, right=True),
        Judged("likely", 0.6, right=False),
        Judged("unsure", 0.1, right=False),
    ]
    found = measure_bands(hits)
    assert list(found.share) == ["strong", "likely", "unsure"]
    assert found.to_json()["likely"] == {"share": 0.4, "right": 0.5}
    # Bins: .9-1 holds two (promised .93, right 1), .6 two (.6, .5), .1 one (.1, 0).
    assert found.error == pytest.approx((2 * 0.07 + 2 * 0.1 + 0.1) / 5)
    assert [each.count for each in found.diagram] == [1, 2, 2]


def test_certainty_lies_in_the_last_bin():
    found = measure_bands([Judged("strong", 1.0, right=True)])
    assert found.error == 0
    assert found.diagram[0].count == 1


def test_without_probabilities_there_is_no_error():
    found = measure_bands([Judged("unsure", None, right=False), Judged("", None, right=False)])
    assert found.to_json() == {"error": None, "unsure": {"share": 0.5, "right": 0.0}}
    assert not found.diagram
    with pytest.raises(ValueError, match="no first hit"):
        measure_bands([])
