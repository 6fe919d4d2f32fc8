"""Folders by name, loggers and callbacks of a training."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import lightning
import pytest
from lightning.pytorch.loggers import CSVLogger

from moviola.align.training.config import TrainConfig
from moviola.align.training.losses import find_loss
from moviola.align.training.networks import NetworkConfig
from moviola.align.training.train import train_head
from moviola.core import MissingExtraError, PluginNotFoundError

CONFIG = TrainConfig(NetworkConfig("linear", (8,)), epochs=2, batch=64, rate=1e-2)


class _Counts(lightning.Callback):
    def __init__(self) -> None:
        self.epochs = 0

    def on_train_epoch_end(self, trainer, pl_module) -> None:  # noqa: ARG002
        self.epochs += 1


def test_a_folder_is_named_by_a_string(paired, split, tmp_path: Path) -> None:
    train_head(paired, split, CONFIG, folder=str(tmp_path / "run"))
    assert (tmp_path / "run" / "metrics.csv").is_file()
    longer = replace(CONFIG, epochs=3)
    again = train_head(paired, split, longer, folder=str(tmp_path / "run"), resume=True)
    assert [epoch.number for epoch in again.history.epochs] == [0, 1, 2, 3]


def test_callbacks_and_loggers_of_lightning_take_part(paired, split, tmp_path: Path) -> None:
    counts, own = _Counts(), CSVLogger(tmp_path, name="own", version="")
    train_head(paired, split, CONFIG, callbacks=[counts], logger=own)
    assert counts.epochs == 2
    assert (tmp_path / "own" / "metrics.csv").is_file()
    with pytest.raises(TypeError, match="no callback of Lightning's"):
        train_head(paired, split, CONFIG, callbacks=[print])


def test_tensorboard_is_written_beside_the_table(paired, split, tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    train_head(paired, split, CONFIG, folder=tmp_path, logger="tensorboard")
    assert list(tmp_path.glob("events.out.tfevents.*"))
    assert (tmp_path / "metrics.csv").is_file()


def test_a_logger_without_its_package_says_what_to_install(
    paired, split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    monkeypatch.setattr("lightning.pytorch.loggers.wandb._WANDB_AVAILABLE", False)
    with pytest.raises(MissingExtraError, match=r"pip install 'moviola\[wandb\]'"):
        train_head(paired, split, CONFIG, folder=tmp_path, logger="wandb")


def test_a_loss_is_named_by_module_and_attribute(
    paired, split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_losses.py").write_text(
        "from torch.nn import functional\n\nNUMBER = 3\n\n"
        "def one_way(cosines, truth, scale, bias):\n"
        "    return functional.cross_entropy(scale * cosines, truth.int().argmax(1))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    named = train_head(paired, split, replace(CONFIG, loss="own_losses:one_way"))
    passed = train_head(paired, split, replace(CONFIG, loss=find_loss("own_losses:one_way")))
    for name, tensor in named.maps.tensors().items():
        assert (tensor == passed.maps.tensors()[name]).all()
    with pytest.raises(PluginNotFoundError, match="is a int; a loss is a function"):
        replace(CONFIG, loss="own_losses:NUMBER")
    with pytest.raises(ValueError, match=r"no loss is called 'infonc'.* Did you mean 'infonce'"):
        replace(CONFIG, loss="infonc")
