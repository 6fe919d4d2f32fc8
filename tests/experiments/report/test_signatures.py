"""All ten experiments at the small scale: each fails as it did in the report, and its remedy ranks.

The signatures are those that a full reproduction on planted pairs showed: where the loss stays,
how far cosines spread, and whether validation moves.
"""

from __future__ import annotations

import pytest

from moviola.experiments.report.planted import planted_data
from moviola.experiments.report.run import presets_named, run_and_write

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

FLAT = ("r02", "r03", "r04", "r05", "r06", "r07")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    out = tmp_path_factory.mktemp("experiments")
    data = planted_data("small", seed=1)
    collected = run_and_write(presets_named("all"), data, "small", out, seed=1)
    assert (out / "report.html").is_file()
    return {each.preset.name: each for each in collected.experiments}


@pytest.mark.parametrize("name", [f"r{number:02d}" for number in range(1, 11)])
def test_nothing_is_ranked_as_reported_and_much_when_remedied(found, name) -> None:
    experiment = found[name]
    assert experiment.result.t2v["MRR"] < 1.5 * experiment.chance
    assert experiment.remedy.result.t2v["MRR"] > 10 * experiment.chance
    low, _ = experiment.remedy.result.t2v.intervals["MRR"]
    assert low > 5 * experiment.chance
    assert abs(experiment.cosines.positive - experiment.cosines.negative) < 0.01


def test_two_layers_stay_on_the_plateau_and_then_learn_their_pairs_by_heart(found) -> None:
    history = found["r01"].history
    train = [epoch.train_loss for epoch in history.epochs[1:]]
    plateau = [loss for loss in train[:10] if abs(loss - 0.25) < 0.01]
    assert len(plateau) >= 7
    assert train[-1] < min(plateau)
    assert history.epochs[-1].val_loss > min(epoch.val_loss for epoch in history.epochs)


@pytest.mark.parametrize("name", FLAT)
def test_the_loss_is_that_of_the_best_constant(found, name) -> None:
    history = found[name].history
    assert history.constant == pytest.approx(0.25, abs=1e-4)
    assert abs(history.epochs[-1].train_loss - history.constant) < 0.01


@pytest.mark.parametrize(("name", "spread"), [("r02", 0.01), *((name, 0.002) for name in FLAT[1:])])
def test_all_items_get_one_vector(found, name, spread) -> None:
    experiment = found[name]
    assert experiment.verdict.outcome == "collapsed"
    assert experiment.cosines.positive_sd < spread
    assert experiment.cosines.negative_sd < spread


def test_the_contrastive_loss_collapses_as_well(found) -> None:
    experiment = found["r08"]
    assert experiment.history.constant == pytest.approx(0.5, abs=1e-4)
    # Twenty batches of 32 pairs are not quite half positive.
    assert abs(experiment.history.epochs[-1].train_loss - 0.5) < 0.03
    assert experiment.verdict.outcome == "collapsed"
    assert experiment.cosines.negative_sd < 0.002


@pytest.mark.parametrize("name", ["r09", "r10"])
def test_a_low_learning_rate_neither_collapses_nor_moves(found, name) -> None:
    experiment = found[name]
    # At the most the mean cosine rises to where a constant answer costs least.
    assert experiment.verdict.outcome in ("unmoved", "constant")
    assert experiment.cosines.negative_sd > 0.01
    losses = [epoch.val_loss for epoch in experiment.history.epochs[1:]]
    assert max(losses) - min(losses) < 0.01
    assert abs(experiment.history.epochs[-1].train_loss - 0.5) < 0.04
