"""Nothing that is not finite reaches a result."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from fixtures.shelf import search_vector, unit_rows
from moviola.core import StoreCorruptError
from moviola.library import Library, LibraryCard
from moviola.retrieve.calibration.library_calibration import Restated


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_query_that_is_not_finite_is_an_error_and_no_empty_answer(shelf, wrong):
    shelf.put("a.mp4")
    shelf.index()
    query = unit_rows("query", 1)
    query[0, 3] = wrong
    card = shelf.library.card
    with pytest.raises(ValueError, match="not finite"):
        search_vector(shelf.library, query, card.space, card.text_readout)


def test_scores_that_overflow_are_an_error(tmp_path, card, shelf):
    card = replace(card, space=replace(card.space, metric="dot"))
    shelf.library = Library.create(tmp_path / "dot", card)
    shelf.put("a.mp4")
    shelf.index()
    query = np.full((1, 16), 3e38, np.float32)
    with np.errstate(over="ignore", invalid="ignore"), pytest.raises(ValueError, match="finite"):
        search_vector(shelf.library, query, card.space, card.text_readout)


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_a_calibration_that_is_not_finite_is_refused(tmp_path, card, wrong):
    with pytest.raises(ValueError, match="not finite"):
        Restated(wrong, 0.0)
    with pytest.raises(ValueError, match="not finite"):
        Restated(1.0, wrong)
    for changed in ({"calibration": (wrong, 1.0)}, {"sharpness": wrong}):
        replace(card, **changed).write(tmp_path)
        assert json.loads((tmp_path / "library.json").read_text())["schema"]
        with pytest.raises(StoreCorruptError, match="not finite"):
            LibraryCard.read(tmp_path)
