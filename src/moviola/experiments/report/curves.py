"""Write the curves of an experiment as a table and as pictures."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

from moviola.align.training.history import History
from moviola.evaluate.report.charts import Axis, Point, Series, line_chart, round_ticks, ticks
from moviola.evaluate.report.markup import Html
from moviola.experiments.report.trials import Experiment

_COLUMNS = (
    "epoch",
    "steps",
    "train_loss",
    "val_loss",
    "test_loss",
    "constant_loss",
    "val_R@1",
    "val_R@5",
    "val_R@10",
    "val_MdR",
    "val_MRR",
    "cos_positive",
    "cos_positive_sd",
    "cos_negative",
    "cos_negative_sd",
)


def curves_csv(history: History) -> str:
    """Write one line an epoch; test losses stand where weights were kept."""
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(_COLUMNS)
    tests = dict(history.test_losses)
    for epoch in history.epochs:
        seen = epoch.cosines
        numbers = [
            epoch.train_loss,
            epoch.val_loss,
            tests.get(epoch.number),
            history.constant,
            *(epoch.measures[name] for name in ("R@1", "R@5", "R@10", "MdR", "MRR")),
            *(seen.positive, seen.positive_sd, seen.negative, seen.negative_sd),
        ]
        told = ["" if number is None else f"{number:.6g}" for number in numbers]
        writer.writerow([epoch.number, epoch.steps, *told])
    return sink.getvalue()


def remedied_csv(epochs: Sequence[Mapping[str, Any]]) -> str:
    """Write one line an epoch of a remedy's training, from the card of its head."""
    sink = io.StringIO()
    columns: tuple[str, ...] = ("epoch", "train_loss", "val_loss", "constant_loss", "R@1", "MRR")
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([epoch[name] for name in columns] for epoch in epochs)
    return sink.getvalue()


def loss_picture(experiment: Experiment) -> Html:
    """Plot the losses of training, validation, test and the best constant by epoch.

    The untrained network, epoch 0 of the table, is left out: its loss would flatten the rest.
    """
    history = experiment.history
    last = float(history.epochs[-1].number)
    seen = history.epochs[1:]
    series = [
        Series("train", [(float(e.number), e.train_loss or 0.0) for e in seen], "t2v"),
        Series("validation", [(float(e.number), e.val_loss) for e in seen], "v2t"),
        Series("test", [(float(n), loss) for n, loss in history.test_losses if n], "third"),
        Series("constant", [(1.0, history.constant), (last, history.constant)], "chance"),
    ]
    values = [value for each in series for _, value in each.points]
    low, high = min(values), max(values)
    room = 0.08 * (high - low) or 0.01
    y = Axis(low - room, high + room, round_ticks(low - room, high + room), "loss", show=_short)
    label = f"Loss of {experiment.preset.name} by epoch"
    return line_chart(series, _epochs(1.0, last), y, label=label)


def mrr_picture(experiment: Experiment) -> Html:
    """Plot MRR by epoch as reported and remedied, as multiples of chance."""
    remedy, last = experiment.remedy, float(experiment.history.epochs[-1].number)
    reached = remedy.result.t2v["MRR"] / experiment.chance
    remedied: list[Point] = [(0.0, reached), (last, reached)]
    if remedy.epochs:
        remedied = [(float(e["epoch"]), float(e["MRR"]) / remedy.chance) for e in remedy.epochs]
        last = max(last, remedied[-1][0])
    reported = [
        (float(epoch.number), epoch.measures["MRR"] / experiment.watched_chance)
        for epoch in experiment.history.epochs
    ]
    series = [Series("as reported", reported, "v2t"), Series("remedied", remedied, "t2v")]
    series.append(Series("chance", [(0.0, 1.0), (last, 1.0)], "chance"))
    heights = ticks(max(value for each in series for _, value in each.points))
    y = Axis(0.0, heights[-1], heights, "MRR, times chance", show=_short)
    label = f"MRR of {experiment.preset.name} by epoch"
    return line_chart(series, _epochs(0.0, last), y, label=label)


def _epochs(first: float, last: float) -> Axis:
    wanted = {float(math.floor(tick)) for tick in ticks(last)[:-1]}
    marks = sorted({tick for tick in wanted if first < tick < last} | {first, last})
    return Axis(first, last, marks, "epoch")


def _short(value: float) -> str:
    return f"{value:.4g}"
