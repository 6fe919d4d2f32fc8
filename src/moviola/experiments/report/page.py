"""Collect X-CLIP's table, the pooling grid and the ten experiments in one page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from moviola.analysis.pooling_grid import PoolingGrid
from moviola.evaluate.report.document import document
from moviola.evaluate.report.markup import Html, element
from moviola.evaluate.report.tables import measures_table
from moviola.experiments.report.curves import loss_picture, mrr_picture
from moviola.experiments.report.presets import REMEDIES
from moviola.experiments.report.reported import CHANCE, XCLIP, XCLIP_FLAW, XCLIP_MEASURES
from moviola.experiments.report.reported import GRID as REPORTED_GRID
from moviola.experiments.report.trials import Experiment

TITLE = "Alignment: what failed, why, and what works"
_DIRECTIONS = {"t2v": "text-to-video", "v2t": "video-to-text"}


@dataclass(frozen=True, slots=True)
class Collected:
    """Hold everything that the page shows.

    Attributes:
        data: what the data are.
        experiments: in order.
        grid: of poolings, before any alignment; None where items have one row.
        xclip: name to the JSON of `moviola evaluate`, for X-CLIP on these data.
        made_with: the last line.
        left_out: sentences about presets that were not run.
    """

    data: str
    experiments: Sequence[Experiment]
    grid: PoolingGrid | None = None
    xclip: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    made_with: str = ""
    left_out: Sequence[str] = ()


def lead(collected: Collected) -> str:
    """Summarise the findings in two sentences."""
    failed = sum(each.verdict.outcome != "learned" for each in collected.experiments)
    reached = [each.remedy.result.t2v["MRR"] / each.chance for each in collected.experiments]
    worst, best = (f"{pick(reached):.0f}" for pick in (min, max))
    count = len(collected.experiments)
    return (
        f"{failed} of {count} experiment{'s' if count > 1 else ''} run as the reference report "
        f"had them end at chance. Remedied, on the same videos, they reach "
        f"{worst if worst == best else f'{worst} to {best}'} times the MRR of chance."
    )


def summary_rows(collected: Collected) -> list[tuple[str, ...]]:
    """Format the head and one row an experiment: loss, constant, MRR, remedied MRR."""
    rows: list[tuple[str, ...]] = [
        (
            "experiment",
            "became",
            "train loss",
            "val loss",
            "constant",
            "MRR",
            "times chance",
            "remedied MRR",
            "times chance",
        )
    ]
    for each in collected.experiments:
        last = each.history.epochs[-1]
        train = "" if last.train_loss is None else f"{last.train_loss:.4f}"
        mrr, remedied = each.result.t2v["MRR"], each.remedy.result.t2v["MRR"]
        rows.append(
            (
                f"{each.preset.name}: {each.preset.title}",
                each.verdict.outcome,
                train,
                f"{last.val_loss:.4f}",
                f"{each.history.constant:.4f}",
                f"{mrr:.4f}",
                f"{mrr / each.chance:.1f}",
                f"{remedied:.4f}",
                f"{remedied / each.chance:.1f}",
            )
        )
    return rows


def xclip_rows(collected: Collected) -> list[tuple[str, ...]]:
    """Format the head, the results on these data, and the report's on MSR-VTT."""
    rows: list[tuple[str, ...]] = [("model", "direction", "where", *XCLIP_MEASURES)]
    for name, found in collected.xclip.items():
        for key, direction in _DIRECTIONS.items():
            values = (_formatted(measure, found[key].get(measure)) for measure in XCLIP_MEASURES)
            rows.append((name, direction, "measured, these data", *values))
    for (name, key), values in XCLIP.items():
        told = (
            _formatted(measure, value)
            for measure, value in zip(XCLIP_MEASURES, values, strict=True)
        )
        rows.append((name, _DIRECTIONS[key], "reported, MSR-VTT 1k-A", *told))
    return rows


def grid_rows(grid: PoolingGrid) -> list[tuple[str, ...]]:
    """Format the head and one row a video pooling: t2v MRR; ~ marks chance."""
    rows: list[tuple[str, ...]] = [("video \\ text", *(_spaced(name) for name in grid.names))]
    for video in grid.names:
        cells = (grid.cell(video, text) for text in grid.names)
        told = (f"{'~' if c.is_chance else ''}{c.result.t2v['MRR']:.4f}" for c in cells)
        rows.append((_spaced(video), *told))
    return rows


def reported_grid_rows() -> list[tuple[str, ...]]:
    """Format the grid that the report measured; its `sum` equals its `mean`."""
    names = ("mean", "first", "max")
    rows: list[tuple[str, ...]] = [("video \\ text", *names)]
    rows += [(video, *(f"{REPORTED_GRID[video, text]:.4f}" for text in names)) for video in names]
    return rows


def no_xclip(collected: Collected) -> str | None:
    """Explain how to get X-CLIP's numbers on these data, where there are none."""
    if collected.xclip:
        return None
    return (
        "X-CLIP was not measured on these data. Where its weights are at hand: moviola evaluate "
        "--json for each checkpoint, and give the files with --xclip."
    )


def reported_grid_note() -> str:
    """Explain how to read the report's grid."""
    return (
        f"Reported on MSR-VTT 1k-A, before any alignment; chance is {CHANCE:.5f}. Its sum equals "
        f"its mean in every cell, because the cosine ignores scale, and its first token of a text "
        f"is the same for all texts, which is chance to the digit."
    )


def describe(experiment: Experiment) -> str:
    """Describe how an experiment was run, in a line."""
    preset, config = experiment.preset, experiment.config
    network = (
        f"layers of {', '.join(map(str, config.network.widths))}"
        if preset.widths
        else f"6 post-norm layers of {config.network.widths[0]}, 8 heads, [CLS]"
    )
    steps = experiment.history.epochs[-1].steps
    reported = "" if config.epochs == preset.epochs else f" (the report: {preset.epochs})"
    return (
        f"{network}; loss {preset.loss}; learning rate {preset.rate:g}; batch {config.batch}; "
        f"{preset.pairs}+{preset.pairs} pairs a video; {config.epochs} epochs{reported}, "
        f"{steps:,} steps; {config.precision.removesuffix('-true')} bit; "
        f"{experiment.seconds:.0f} s"
    )


def render_collected(collected: Collected) -> str:
    """Render one self-contained HTML file: no script, no network, light and dark."""
    missing = no_xclip(collected)
    return document(
        TITLE,
        element("h1", TITLE),
        element("p", lead(collected), class_="lead"),
        element("p", f"Data: {collected.data}.", class_="note"),
        element("h2", "The experiments at a glance"),
        _table(summary_rows(collected)),
        element(
            "p",
            "Constant: the loss of the best predictor that answers every pair alike. A loss that "
            "stays there has learned nothing of its input, however flat and low it looks.",
            class_="note",
        ),
        *(element("p", said, class_="note") for said in collected.left_out),
        element("h2", "X-CLIP"),
        _table(xclip_rows(collected)),
        *([element("p", missing, class_="note")] if missing else []),
        element("p", XCLIP_FLAW, class_="note"),
        element("h2", "The pooling grid"),
        *_grid(collected.grid),
        element("h3", "As reported"),
        _table(reported_grid_rows()),
        element("p", reported_grid_note(), class_="note"),
        *(part for each in collected.experiments for part in _experiment(each)),
        element("footer", collected.made_with),
    )


def _grid(grid: PoolingGrid | None) -> list[Html]:
    if grid is None:
        return [element("p", "These data have one row an item: there is nothing to pool.")]
    return [
        _table(grid_rows(grid)),
        element(
            "p",
            f"MRR from text to video on the test videos, before any alignment. ~ is chance "
            f"({grid.chance:.4f}) within two standard errors.",
            class_="note",
        ),
        *(element("p", note, class_="note") for note in grid.notes),
    ]


def _experiment(experiment: Experiment) -> list[Html]:
    preset = experiment.preset
    results = [("as reported", experiment.result), ("remedied", experiment.remedy.result)]
    sides = [
        (f"{name}, {direction}", getattr(result, key))
        for name, result in results
        for key, direction in _DIRECTIONS.items()
    ]
    return [
        element("h2", f"{preset.name}: {preset.title}"),
        element("p", describe(experiment), class_="note"),
        element("p", experiment.verdict.sentence),
        element("p", element("b", "Remedy. "), REMEDIES[preset.remedy]),
        element(
            "div",
            _figure("Loss", loss_picture(experiment), "The test loss comes from the checkpoints."),
            _figure(
                "MRR",
                mrr_picture(experiment),
                "On validation videos by epoch, as a multiple of chance among them; a closed form "
                "has no epochs and is drawn as the level that it reaches on the test videos.",
            ),
            class_="charts",
        ),
        measures_table(sides),
        element(
            "p",
            f"The report does not say {'; '.join(preset.unknowns)}.",
            class_="note",
        ),
        *(element("p", f"Note: {note}.", class_="note") for note in experiment.notes),
    ]


def _figure(title: str, picture: Html, caption: str) -> Html:
    return element("figure", element("h3", title), picture, element("figcaption", caption))


def _table(rows: Sequence[Sequence[str]]) -> Html:
    head = element("tr", *(element("th", cell, scope="col") for cell in rows[0]))
    body = (
        element("tr", element("th", row[0], scope="row"), *(element("td", c) for c in row[1:]))
        for row in rows[1:]
    )
    table = element("table", element("thead", head), element("tbody", *body))
    return element("div", table, class_="scroll wrapped", tabindex="0")


def _formatted(measure: str, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if measure == "MRR" else f"{value:.1f}"


def _spaced(name: str) -> str:
    return name.replace("_", " ")
