"""Sweep the width of the shared space, from files to a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from moviola.align.closed_form.sweep import Width, sweep
from moviola.align.fit import task_of
from moviola.core import StorageError, display_path
from moviola.evaluate.report.charts import Axis, Series, line_chart, ticks
from moviola.evaluate.report.document import document
from moviola.evaluate.report.markup import Html, element
from moviola.pipeline.align.fitting import PairFiles


def sweep_files(
    files: PairFiles, widths: Sequence[int], *, pooling: str | None = None, seed: int = 0
) -> list[Width]:
    """Measure heads of several widths on held-out videos.

    Raises:
        FileNotFoundError: when a file is not there.
        ValueError: when the pairs cannot be fitted, or a file is wrong.
    """
    task, _ = task_of(*files.read(pooling), seed=seed)
    return sweep(task, widths)


def write_sweep(found: Sequence[Width], out: Path) -> None:
    """Write a page with the table and the plot.

    Raises:
        StorageError: when it cannot be written.
    """
    page = document(
        "Width of the shared space",
        element("h1", "Width of the shared space"),
        element(
            "p",
            "Text-to-video MRR of videos that were held out, by the number of canonical "
            "coordinates, with 95 % intervals over captions.",
        ),
        _plot(found),
        _table(found),
    )
    try:
        out.write_text(page, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"cannot write {display_path(out)}: {error.strerror}") from error


def _plot(found: Sequence[Width]) -> Html:
    widths = [float(each.width) for each in found]
    heights = ticks(max(each.interval[1] for each in found))
    series = Series(
        "MRR",
        [(float(each.width), each.mrr) for each in found],
        "t2v",
        [each.interval for each in found],
    )
    x = Axis(widths[0], max(widths[-1], widths[0] + 1), widths, "coordinates", log=True)
    return line_chart(
        [series], x, Axis(0.0, heights[-1], heights, "MRR"), label="MRR by width of the space"
    )


def _table(found: Sequence[Width]) -> Html:
    head = element("tr", *(element("th", name) for name in ("width", "R@1", "95 %", "MRR", "95 %")))
    rows = [
        element(
            "tr",
            *(
                element("td", cell)
                for cell in (
                    str(each.width),
                    f"{each.r1:.1f}",
                    f"{each.r1_interval[0]:.1f} to {each.r1_interval[1]:.1f}",
                    f"{each.mrr:.4f}",
                    f"{each.interval[0]:.4f} to {each.interval[1]:.4f}",
                )
            ),
        )
        for each in found
    ]
    return element("table", head, *rows)
