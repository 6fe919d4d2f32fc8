"""`moviola align fit` where it trains: losses of one's own, precisions, loggers, killed runs."""

from __future__ import annotations

import functools
import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from moviola.cli.app import app
from moviola.cli.console import say_error

VIDEOS = 80
LOSS = """
from torch.nn.functional import cross_entropy


def clip_to_text(cosines, truth, scale, bias):
    return cross_entropy(scale * cosines, truth.float().argmax(1))


WORDS = "no function"
"""
KILLED = """
import os, signal, sys
import lightning
from pathlib import Path
from moviola.pipeline.align.config import FitConfig
from moviola.pipeline.align.fitting import fit_files


class Kill(lightning.Callback):
    def on_train_batch_end(self, trainer, *_):
        if trainer.current_epoch == 3:
            os.kill(os.getpid(), signal.SIGKILL)


fit_files(FitConfig.read(Path(sys.argv[1])), out=sys.argv[2], callbacks=[Kill()])
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pairs")
    rng = np.random.default_rng(0)
    meant = rng.normal(size=(VIDEOS, 6))
    for name, width in (("t", 10), ("v", 12)):
        rows = meant @ rng.normal(size=(6, width)) + 0.1 * rng.normal(size=(VIDEOS, width))
        np.save(folder / f"{name}.npy", rows.astype(np.float32))
    (folder / "my_losses.py").write_text(LOSS)
    return folder


@pytest.fixture
def run(capsys, monkeypatch, files: Path) -> Callable[..., tuple[int, str, str]]:
    """Runs the program in the folder of the vectors, as its last door does."""
    monkeypatch.chdir(files)
    monkeypatch.syspath_prepend(str(files))

    def call(*words: object) -> tuple[int, str, str]:
        try:
            code = app(["align", "fit", *map(str, words)], standalone_mode=False) or 0
        except Exception as error:  # noqa: BLE001
            code = say_error(error)
        captured = capsys.readouterr()
        return int(code), captured.out, captured.err

    return call


@pytest.fixture
def train(run) -> Callable[..., tuple[int, str, str]]:
    given = ("--texts", "t.npy", "--videos", "v.npy", "--method", "mlp", "--layers", "8")
    return functools.partial(run, *given, "--epochs", 5, "--batch", 16, "--lr", "1e-2", "--out")


def record(head: Path) -> dict[str, Any]:
    return json.loads((head / "head.json").read_text())["fit"]


def same_weights(one: Path, other: Path) -> bool:
    mine, theirs = (load_file(head / "head.safetensors") for head in (one, other))
    return mine.keys() == theirs.keys() and all(
        np.array_equal(value, theirs[name]) for name, value in mine.items()
    )


def test_a_loss_of_ones_own_is_named_and_trains(run, train, tmp_path: Path) -> None:
    code, out, err = train(tmp_path / "own", "--loss", "my_losses:clip_to_text", "--json")
    assert code == 0, err
    told = json.loads(out)
    assert told["val"]["MRR"] > 2 * told["chance_MRR"]
    assert record(tmp_path / "own")["choice"]["training"]["loss"] == "my_losses:clip_to_text"
    # The run is one file: it trains the same head again.
    code, _, err = run("--config", tmp_path / "own" / "run.json", "--out", tmp_path / "again")
    assert code == 0, err
    assert same_weights(tmp_path / "own", tmp_path / "again")


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        ("my_losses:missing", "missing"),
        ("my_losses:WORDS", "a loss is a function of cosines, truth, scale and bias"),
        ("no_such_module:loss", "no_such_module"),
        ("info-nce", "Did you mean 'infonce'?"),
    ],
)
def test_a_loss_that_is_none_is_one_sentence(train, tmp_path: Path, loss, message) -> None:
    code, _, err = train(tmp_path / "head", "--loss", loss)
    assert code in {1, 2}
    assert message in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("precision", "kept"),
    [("float64", "64-true"), ("bfloat16", "bf16-mixed"), ("float16", "16-mixed")],
)
def test_every_precision_trains_a_head_of_float32(train, tmp_path, precision, kept) -> None:
    code, out, err = train(tmp_path / "head", "--precision", precision, "--json")
    assert code == 0, err
    assert json.loads(out)["val"]["MRR"] > 0.2
    stored = load_file(tmp_path / "head" / "head.safetensors")
    assert {each.dtype for each in stored.values()} == {np.dtype(np.float32)}
    assert record(tmp_path / "head")["choice"]["training"]["precision"] == kept


def test_a_precision_that_does_not_exist_is_one_sentence(train, tmp_path: Path) -> None:
    code, _, err = train(tmp_path / "head", "--precision", "float8")
    assert code == 2
    assert "bfloat16" in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("package", "written"),
    [
        ("tensorboardX", "events.out.tfevents.*"),
        ("wandb", "wandb/offline-run-*/run-*.wandb"),
    ],
)
def test_a_logger_writes_or_names_its_extra(
    train, tmp_path: Path, monkeypatch, package: str, written: str
) -> None:
    logger = package.removesuffix("X").lower()
    monkeypatch.setenv("WANDB_MODE", "offline")
    code, _, err = train(tmp_path / "head", "--logger", logger)
    if importlib.util.find_spec(package) is None:
        assert code == 2
        assert f"pip install 'moviola[{logger}]'" in err
        assert len(err.splitlines()) == 1
        return
    assert code == 0, err
    assert list((tmp_path / "head.run").glob(written))
    assert (tmp_path / "head.run" / "metrics.csv").is_file()


def test_a_killed_run_goes_on_to_the_weights_of_an_uninterrupted_one(
    run, train, tmp_path: Path
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert train(whole)[0] == 0
    died = subprocess.run(
        [sys.executable, "-c", KILLED, str(whole / "run.json"), str(killed)],
        check=False,
        timeout=300,
    )
    assert died.returncode == -9
    assert not killed.exists()
    code, _, err = run("--out", killed, "--resume")
    assert code == 0, err
    assert same_weights(whole, killed)
    assert [each["epoch"] for each in record(killed)["epochs"]] == [0, 1, 2, 3, 4, 5]
    assert record(whole)["epochs"] == record(killed)["epochs"]
