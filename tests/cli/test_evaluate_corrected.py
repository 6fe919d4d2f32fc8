"""`moviola evaluate --correct`: rows of their own, under a heading that says what they are."""

from __future__ import annotations

import json

import numpy as np
import pytest

from moviola.cli.app import app
from moviola.cli.console import say_error


@pytest.fixture
def run(capsys, tmp_path):
    """Runs `moviola evaluate` on a matrix with a bank beside it: exit code, stdout, stderr."""
    rng = np.random.default_rng(1)
    paths = {"S": (12, 12), "B": (40, 12)}
    for name, shape in paths.items():
        np.save(tmp_path / f"{name}.npy", rng.uniform(-0.2, 0.9, shape).astype(np.float32))

    def call(*words: str) -> tuple[int, str, str]:
        given = [str(tmp_path / f"{word}.npy") if word in paths else word for word in words]
        try:
            code = app(["evaluate", *given], standalone_mode=False) or 0
        except Exception as error:  # noqa: BLE001 -- as the program's last door does
            code = say_error(error)
        captured = capsys.readouterr()
        return int(code), captured.out, captured.err

    return call


def test_the_headline_is_as_without_a_correction(run):
    matrix = ("--similarity", "S")
    plain = json.loads(run(*matrix, "--json")[1])
    code, out, _ = run(*matrix, "--correct", "dual-softmax", "--correct", "csls", "--json")
    found = json.loads(out)
    assert code == 0
    assert list(found) == ["t2v", "v2t", "n_queries", "n_gallery", "ties", "corrected"]
    assert list(found["corrected"]) == ["dual-softmax", "csls"]
    for corrected in found.pop("corrected").values():
        assert list(corrected) == ["transductive", "t2v", "v2t", "note"]
    assert found == plain
    headline = run(*matrix)[1]
    assert run(*matrix, "--correct", "csls")[1].startswith(headline)


def test_the_table_says_which_kind_it_is(run):
    words = ("--similarity", "S", "--bank", "B", "--correct", "dual-softmax", "--correct", "nnn")
    code, out, _ = run(*words)
    assert code == 0
    lines = out.splitlines()
    (inductive,) = [i for i, line in enumerate(lines) if line.startswith("corrected, inductive")]
    (other,) = [i for i, line in enumerate(lines) if line.startswith("corrected, transductive")]
    assert "looks at the other test queries; not comparable with the headline" in lines[other]
    assert lines[inductive + 1].split("  ") == ["", "", "", "nnn t2v"]
    assert lines[other + 1].index("dual-softmax t2v") < lines[other + 1].index("dual-softmax v2t")
    assert inductive < other
    assert "nnn v2t" not in out
    assert "video-to-text is not corrected: that needs a bank of training videos" in lines


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--correct", "magic"), "csls, dual-softmax, inverted-softmax, nnn, qb-norm, sinkhorn"),
        (("--correct", "qb-norm"), "--bank"),
        (("--bank", "B"), "--correct"),
        (("--correct", "nnn", "--bank", "S"), "the bank holds every text of the test"),
    ],
)
def test_what_cannot_be_corrected_is_refused(run, words, said):
    code, out, err = run("--similarity", "S", *words)
    assert (code, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1


def test_a_run_has_no_corrections(run):
    code, _, err = run("--run", "r", "--relevance", "q", "--correct", "csls")
    assert code == 2
    assert "--correct says nothing about --run" in err
