"""A run is one file: what is fitted can be written down, repeated, gone on with and kept."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from moviola.align import Aligner
from moviola.pipeline.align.config import FitConfig
from moviola.pipeline.align.fitting import fit_files, read_config, run_folder

VIDEOS = 60


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("pairs")
    rng = np.random.default_rng(0)
    meant = rng.normal(size=(VIDEOS, 6))
    for name, width in (("texts", 10), ("videos", 12)):
        rows = meant @ rng.normal(size=(6, width)) + 0.1 * rng.normal(size=(VIDEOS, width))
        np.save(folder / f"{name}.npy", rows.astype(np.float32))
    return {name: str(folder / f"{name}.npy") for name in ("texts", "videos")}


@pytest.fixture
def config(files: dict[str, str]) -> FitConfig:
    return FitConfig(**files, method="mlp", layers=(16, 8), epochs=3, batch=16, lr=1e-2, patience=0)


def _epochs(head: Aligner) -> list[int]:
    return [epoch["epoch"] for epoch in head.fit["epochs"]]


def test_a_run_repeats_from_the_file_that_it_wrote(config: FitConfig, tmp_path: Path) -> None:
    head = fit_files(config, out=tmp_path / "head")
    assert FitConfig.read(tmp_path / "head" / "run.json") == config
    again = fit_files(FitConfig.read(tmp_path / "head" / "run.json"), out=tmp_path / "again")
    assert again.space == head.space
    other = FitConfig.read(tmp_path / "head" / "run.json", {"seed": 1, "loss": None})
    assert (other.seed, other.loss, other.layers) == (1, None, (16, 8))


def test_the_card_says_what_was_fitted_chosen_and_reported_on_what(
    config: FitConfig, tmp_path: Path
) -> None:
    head = fit_files(config, out=tmp_path / "head")
    data = head.fit["data"]
    assert data["fitted_videos"] + data["watched_videos"] + data["reported_videos"] == VIDEOS
    assert data["watched_videos"] == data["reported_videos"] == 12
    assert head.fit["protocol"] == (
        "fitted on 36 of 60 videos; the epoch was chosen on 12 others, and what is reported is "
        "text-to-video among 12 more, which neither has seen"
    )
    training = head.fit["choice"]["training"]
    assert (training["loss"], training["network"]["widths"]) == ("infonce", (16, 8))
    # The best epoch of the watched videos is kept, whatever it does on those that are reported.
    epochs = head.fit["epochs"]
    assert epochs[head.fit["choice"]["best_epoch"]]["MRR"] == max(each["MRR"] for each in epochs)


def test_a_run_is_gone_on_with(config: FitConfig, tmp_path: Path) -> None:
    out = tmp_path / "head"
    assert _epochs(fit_files(config, out=out)) == [0, 1, 2, 3]
    longer = read_config(None, out=out, resume=True, changes={"epochs": 5})
    assert longer.layers == config.layers
    assert _epochs(fit_files(longer, out=out, resume=True)) == [0, 1, 2, 3, 4, 5]
    with (run_folder(out) / "metrics.csv").open() as table:
        assert {"val_MRR", "val_loss"} <= set(next(csv.reader(table)))
    # A run that is not gone on with begins anew.
    assert _epochs(fit_files(config, out=out)) == [0, 1, 2, 3]
    with pytest.raises(FileNotFoundError, match=r"no run to resume in .*leave out --resume"):
        read_config(None, out=tmp_path / "other", resume=True, changes={})


def test_what_lies_where_a_run_goes_is_left_alone(config: FitConfig, tmp_path: Path) -> None:
    (tmp_path / "head.run").mkdir()
    (tmp_path / "head.run" / "thesis.txt").write_text("two years")
    with pytest.raises(FileExistsError, match="no earlier run; name another --out"):
        fit_files(config, out=tmp_path / "head")
    assert (tmp_path / "head.run" / "thesis.txt").read_text() == "two years"


def test_settings_are_read_from_toml_and_json_alike(
    config: FitConfig, files: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "run.json").write_text(config.to_json())
    (tmp_path / "run.toml").write_text(
        f'texts = "{files["texts"]}"\nvideos = "{files["videos"]}"\nmethod = "mlp"\n'
        "layers = [16, 8]\nepochs = 3\nbatch = 16\nlr = 1e-2\npatience = 0\n"
    )
    assert FitConfig.read(tmp_path / "run.toml") == FitConfig.read(tmp_path / "run.json") == config


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"texts": "t", "videos": "v", "colour": "red"}, "no setting 'colour'; there are batch,"),
        ({"texts": "t"}, "videos is missing; name it with --videos"),
        ({"texts": "t", "videos": "v", "epochs": "many"}, "epochs is int, not str 'many'"),
        ({"texts": "t", "videos": "v", "layers": [8, 0.5]}, "layers are whole numbers"),
        (["texts"], "holds no settings by name"),
    ],
)
def test_a_file_of_settings_is_refused_by_name(value: object, message: str, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps(value))
    with pytest.raises(ValueError, match=message):
        FitConfig.read(tmp_path / "run.json")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "cca", "epochs": 3}, "cca is not trained by choice, and takes no epochs"),
        ({"method": "linear", "layers": (8,)}, "takes no --layers; an mlp does"),
        ({"method": "mlp", "heads": 2}, "mlp has no attention, and takes no --heads"),
        ({"method": "transformer", "layers": (8, 8)}, "one number, not"),
        ({"method": "mlp", "loss": "mes"}, "no loss is called 'mes'.* Did you mean 'mse'"),
        ({"method": "mlp", "precision": "int8"}, "no precision 'int8'; there are float32"),
        ({"method": "mlp", "lr": -1.0}, "learning rate must be above 0"),
        ({"method": "mlp", "logger": "paper"}, "no logger 'paper'; there are csv"),
        ({"method": "cca", "test_texts": "t"}, "a test needs both"),
    ],
)
def test_settings_that_do_not_fit_are_refused(
    settings: dict, message: str, files: dict[str, str], tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        fit_files(FitConfig(**files, **settings), out=tmp_path / "head")


def test_a_fit_that_finds_nothing_says_so(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("texts", "videos", "test_texts", "test_videos"):
        np.save(tmp_path / f"{name}.npy", rng.normal(size=(30, 8)).astype(np.float32))
    config = FitConfig(
        **{name: str(tmp_path / f"{name}.npy") for name in ("texts", "videos")},
        method="cca",
        test_texts=str(tmp_path / "test_texts.npy"),
        test_videos=str(tmp_path / "test_videos.npy"),
    )
    warnings = fit_files(config, out=tmp_path / "head").fit["warnings"]
    for what in ("held-out videos: MRR 0.", "the test: MRR 0."):
        assert any(each.startswith(what) and "not told from chance" in each for each in warnings)


def test_a_head_that_learned_is_not_warned_of(files: dict[str, str], tmp_path: Path) -> None:
    head = fit_files(FitConfig(**files, method="cca"), out=tmp_path / "head")
    assert not [each for each in head.fit["warnings"] if "chance" in each]
