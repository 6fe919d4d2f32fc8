"""A method is a name, a function of one's own, or `module:attribute`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from moviola.align.closed_form.task import Fitted, Task, fit_best
from moviola.align.fit import fit
from moviola.align.head.maps import LinearMaps
from moviola.align.methods import METHODS, find_method
from moviola.core import Clip, Embeddings, PluginNotFoundError, Readout, Space, Span, Text

_MODULE = """
from moviola.align.closed_form.task import fit_best
from moviola.align.head.maps import LinearMaps
import numpy as np

NUMBER = 3

def first(task):
    same = np.eye(task.dimensions[0], dtype=np.float32)
    return fit_best(task, "first", [2, 4], lambda _c, n: LinearMaps(same[:, :n], same[:, :n]))

def forgetful(task):
    return None
"""


@pytest.fixture
def sides() -> tuple[Embeddings[Text], Embeddings[Clip], np.ndarray]:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(40, 6)).astype(np.float32)
    offsets, unknown = np.arange(41), Readout("unknown")
    space = Space.anonymous(6)
    texts = Embeddings([Text(f"t{n}", "") for n in range(40)], offsets, [rows], space, unknown)
    clips = [Clip(f"v{n}", Path(), Span(0, 1)) for n in range(40)]
    noisy = rows + 0.5 * rng.normal(size=rows.shape).astype(np.float32)
    return texts, Embeddings(clips, offsets, [noisy], space, unknown), np.arange(40)


@pytest.fixture
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "own_alignment.py").write_text(_MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return "own_alignment"


def test_module_and_attribute_name_a_method_that_is_kept_like_any(
    own_module: str, sides: tuple, tmp_path: Path
) -> None:
    head = fit(*sides, method=f"{own_module}:first")
    assert head.fit["method"] == "first"
    assert head.fit["choice"] == {"shrinkage": 4}
    head.save_pretrained(tmp_path / "head")
    assert type(head).from_pretrained(tmp_path / "head").space == head.space


def test_a_function_is_a_method(sides: tuple) -> None:
    def mine(task: Task) -> Fitted:
        same = np.eye(6, dtype=np.float32)
        return fit_best(task, "mine", [None], lambda _c, _o: LinearMaps(same, same))

    assert fit(*sides, method=mine).fit["method"] == "mine"


def test_refusals_name_the_way_out(own_module: str, sides: tuple) -> None:
    with pytest.raises(
        ValueError, match=r"no method 'ca'; there are auto, .*module:attribute.*'cca'"
    ):
        find_method("ca")
    with pytest.raises(PluginNotFoundError, match="cannot be imported"):
        find_method(f"{own_module}:absent")
    with pytest.raises(PluginNotFoundError, match="is a int; a method is a function of a Task"):
        find_method(f"{own_module}:NUMBER")
    with pytest.raises(TypeError, match="gave a NoneType, not a Fitted"):
        fit(*sides, method=f"{own_module}:forgetful")


def test_every_name_finds_its_method() -> None:
    assert all(find_method(name) is method for name, method in METHODS.items())
