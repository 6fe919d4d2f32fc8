"""The curves of an experiment: as a table, and as pictures."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

from moviola.align.history import History
from moviola.evaluate.report.charts import Axis, Point, Series, line_chart, round_ticks, ticks
from moviola.evaluate.report.markup import Html
from moviola.experiments.alignment_runs import Experiment

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
    """One line an epoch; test losses stand where weights were kept."""
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
    """One line an epoch of a remedy's training, as the card of its head tells them."""
    sink = io.StringIO()
    columns = ("epoch", "train_loss", "val_loss", "constant_loss", "R@1", "MRR")
    writer: csv.DictWriter[str] = csv.DictWriter(
        sink, columns, extrasaction="ignore", lineterminator="\n"
    )
    writer.writeheader()
    writer.writerows(epochs)
    return sink.getvalue()


def loss_picture(experiment: Experiment) -> Html:
    """Loss of training, validation and test by epoch, and that of the best constant answer."""
    history = experiment.history
    last = float(history.epochs[-1].number)
    train: list[Point] = [
        (float(epoch.number), epoch.train_loss)
        for epoch in history.epochs
        if epoch.train_loss is not None
    ]
    series = [
        Series("train", train, "t2v"),
        Series("validation", [(float(e.number), e.val_loss) for e in history.epochs], "v2t"),
        Series("test", [(float(number), loss) for number, loss in history.test_losses], "third"),
        Series("constant", [(0.0, history.constant), (last, history.constant)], "chance"),
    ]
    values = [value for each in series for _, value in each.points]
    low, high = min(values), max(values)
    room = 0.08 * (high - low) or 0.01
    y = Axis(low - room, high + room, round_ticks(low - room, high + room), "loss", show=_short)
    return line_chart(series, _epochs(last), y, label=f"Loss of {experiment.preset.name} by epoch")


def mrr_picture(experiment: Experiment) -> Html:
    """MRR on validation by epoch as reported, of the remedy, and by chance."""
    remedy, last = experiment.remedy, float(experiment.history.epochs[-1].number)
    reached = remedy.result.t2v["MRR"]
    remedied: list[Point] = [(0.0, reached), (last, reached)]
    if remedy.epochs:
        remedied = [(float(epoch["epoch"]), float(epoch["MRR"])) for epoch in remedy.epochs]
        last = max(last, remedied[-1][0])
    series = [
        Series(
            "as reported",
            [(float(e.number), e.measures["MRR"]) for e in experiment.history.epochs],
            "v2t",
        ),
        Series("remedied", remedied, "t2v"),
    ]
    heights = ticks(max(value for each in series for _, value in each.points))
    y = Axis(0.0, heights[-1], heights, "MRR", show=_short)
    return line_chart(series, _epochs(last), y, label=f"MRR of {experiment.preset.name} by epoch")


def _epochs(last: float) -> Axis:
    wanted = sorted({float(math.floor(tick)) for tick in ticks(last)[:-1]} | {last})
    return Axis(0.0, last, wanted, "epoch")


def _short(value: float) -> str:
    return f"{value:.4g}"
