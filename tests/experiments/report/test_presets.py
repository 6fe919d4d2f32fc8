from __future__ import annotations

import pytest
import torch

from moviola.align.training.networks import Network
from moviola.experiments.report.presets import PRESETS, REMEDIES, parse_scale

#: Layers, loss, learning rate, epochs, pairs a video, and precision, as the report has them.
REPORTED = {
    "r01": ((4096, 4096), "mse", 1e-3, 30, 1, "64-true"),
    "r02": ((4096, 4096), "mse", 1e-3, 30, 20, "64-true"),
    "r03": ((4096, 2048, 1024, 1024, 512, 512), "mse", 1e-3, 100, 20, "32-true"),
    "r04": ((4096, 2048, 1024, 1024, 512, 512), "mse", 1e-3, 500, 20, "32-true"),
    "r05": (None, "mse", 1e-3, 10, 1, "64-true"),
    "r06": (None, "mse", 1e-3, 10, 20, "64-true"),
    "r07": (None, "mse", 1e-3, 100, 20, "64-true"),
    "r08": (None, "contrastive", 1e-3, 5, 20, "64-true"),
    "r09": (None, "contrastive", 1e-5, 5, 20, "64-true"),
    "r10": (None, "contrastive", 1e-5, 5, 20, "64-true"),
}


@pytest.mark.parametrize("name", REPORTED)
def test_presets_are_those_of_the_report(name) -> None:
    widths, loss, rate, epochs, pairs, precision = REPORTED[name]
    config = PRESETS[name].config(4096, "full")
    network = config.network
    if widths is None:
        assert network.architecture == "transformer"
        assert (network.layers, network.heads, network.pre_norm) == (6, 8, False)
        assert network.widths == (4096,)
    else:
        assert network.widths == widths
        assert not network.free_end
    assert (config.loss, config.rate, config.batch) == (loss, rate, 32)
    assert (config.epochs, config.positives, config.negatives) == (epochs, pairs, pairs)
    assert config.precision == precision
    assert (config.patience, config.keep_best, config.schedule) == (None, False, "constant")


def test_only_the_tenth_reads_videos_behind_the_llama() -> None:
    assert [name for name, preset in PRESETS.items() if preset.after_llama] == ["r10"]


@pytest.mark.parametrize("name", REPORTED)
def test_the_small_scale_keeps_what_fails(name) -> None:
    full, small = (PRESETS[name].config(128, scale) for scale in ("full", "small"))
    assert small.network == full.network
    kept = ("loss", "rate", "batch", "positives", "negatives", "schedule", "decay")
    assert all(getattr(small, each) == getattr(full, each) for each in kept)
    assert small.epochs <= full.epochs


def test_widths_follow_the_dimension_and_heads_divide_them() -> None:
    assert PRESETS["r03"].config(768, "full").network.widths == (768, 384, 192, 192, 96, 96)
    network = PRESETS["r05"].config(100, "full").network
    torch.manual_seed(0)
    made = Network(network, 100)
    rows = torch.randn(2, 3, 100)
    assert made(rows, torch.ones(2, 3, dtype=torch.bool)).shape == (2, network.widths[0])


def test_every_preset_says_what_is_not_known_and_has_a_remedy() -> None:
    for preset in PRESETS.values():
        assert len(preset.unknowns) >= 4
        assert preset.remedy in REMEDIES
    with pytest.raises(ValueError, match="no scale is called 'tiny'; there are full, small"):
        parse_scale("tiny")
