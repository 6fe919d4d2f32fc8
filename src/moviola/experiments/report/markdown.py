"""Write the collected experiments as Markdown, with the pictures beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from moviola.experiments.report.page import (
    TITLE,
    Collected,
    describe,
    grid_rows,
    lead,
    no_xclip,
    reported_grid_note,
    reported_grid_rows,
    summary_rows,
    xclip_rows,
)
from moviola.experiments.report.presets import REMEDIES
from moviola.experiments.report.reported import XCLIP_FLAW
from moviola.experiments.report.trials import Experiment


def collected_markdown(collected: Collected) -> str:
    """Write all tables, verdicts and remedies; pictures are `NAME/*.svg`."""
    parts = [f"# {TITLE}", lead(collected), f"Data: {collected.data}."]
    parts += ["## The experiments at a glance", _table(summary_rows(collected))]
    parts += collected.left_out
    parts += ["## X-CLIP", _table(xclip_rows(collected))]
    parts += [said for said in (no_xclip(collected), XCLIP_FLAW) if said]
    parts.append("## The pooling grid")
    if collected.grid is None:
        parts.append("These data have one row an item: there is nothing to pool.")
    else:
        parts += [
            _table(grid_rows(collected.grid)),
            f"MRR from text to video, unaligned; ~ is chance ({collected.grid.chance:.4f}).",
            *(f"* {note}" for note in collected.grid.notes),
        ]
    parts += ["### As reported", _table(reported_grid_rows()), reported_grid_note()]
    parts += [part for each in collected.experiments for part in _experiment(each)]
    parts.append(collected.made_with)
    return "\n\n".join(part for part in parts if part) + "\n"


def _experiment(experiment: Experiment) -> Iterator[str]:
    preset = experiment.preset
    yield f"## {preset.name}: {preset.title}"
    yield describe(experiment)
    yield experiment.verdict.sentence
    yield f"**Remedy.** {REMEDIES[preset.remedy]}"
    yield f"![Loss by epoch]({preset.name}/loss.svg) ![MRR by epoch]({preset.name}/mrr.svg)"
    names = list(experiment.result.t2v.aggregates)
    rows: list[tuple[str, ...]] = [("", *names)]
    for name, result in (
        ("as reported", experiment.result),
        ("remedied", experiment.remedy.result),
    ):
        for key in ("t2v", "v2t"):
            side = getattr(result, key)
            told = (f"{side[n]:.4f}" if n in ("MRR", "mAP") else f"{side[n]:.1f}" for n in names)
            rows.append((f"{name}, {key}", *told))
    yield _table(rows)
    yield f"The report does not say {'; '.join(preset.unknowns)}."
    for note in experiment.notes:
        yield f"Note: {note}."


def _table(rows: Sequence[Sequence[str]]) -> str:
    def line(cells: Sequence[str]) -> str:
        return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"

    rule = line(["---", *("---:" for _ in rows[0][1:])])
    return "\n".join([line(rows[0]), rule, *(line(row) for row in rows[1:])])
