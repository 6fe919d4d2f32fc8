"""The search page, in a browser, against a running server."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    "scenario",
    ["search", "play"],
)
def test_the_page_over_a_generated_world(look, world_server, question, scenario):
    look(scenario, world_server, question=question)
