"""Run one experiment of the report, or all, and write curves, verdicts and the page."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

from moviola.analysis.pooling_grid import PoolingGrid, pooling_grid
from moviola.core import display_path
from moviola.core.json_text import decode_json
from moviola.evaluate.report.style import CSS
from moviola.experiments.report.curves import curves_csv, loss_picture, mrr_picture, remedied_csv
from moviola.experiments.report.data import ExperimentData, some_items
from moviola.experiments.report.markdown import collected_markdown
from moviola.experiments.report.page import Collected, render_collected
from moviola.experiments.report.presets import PRESETS, Preset, Scale
from moviola.experiments.report.remedies import Remedied
from moviola.experiments.report.trials import Experiment, run_experiment
from moviola.pipeline.versions import versions

PAGE, MARKDOWN, RESULTS = "report.html", "report.md", "results.json"


def presets_named(name: str) -> list[Preset]:
    """Return the preset of a name, or all.

    Raises:
        ValueError: when there is none of that name.
    """
    if name == "all":
        return list(PRESETS.values())
    if name not in PRESETS:
        raise ValueError(f"no experiment is called {name!r}; there are {', '.join(PRESETS)}, all")
    return [PRESETS[name]]


def run_and_write(
    presets: Sequence[Preset],
    data: ExperimentData,
    scale: Scale,
    out: Path,
    *,
    seed: int = 0,
    xclip: Sequence[Path] = (),
    on_step: Callable[[str, int, int], None] = lambda _what, _done, _total: None,
    on_done: Callable[[Experiment], None] = lambda _experiment: None,
) -> Collected:
    """Run experiments one by one; each is written before the next begins.

    A preset that reads videos behind the LLaMA is left out of several where the data hold none.

    Args:
        presets: which.
        data: on what.
        scale: `full` or `small`.
        out: folder for the page and one folder an experiment.
        seed: of everything that is drawn.
        xclip: files of `moviola evaluate --json` for X-CLIP on these data.
        on_step: told what is run and how many of its epochs are done.
        on_done: told of every finished experiment.

    Raises:
        ValueError: when a single preset cannot run on these data, or a file is no result.
        FileNotFoundError: when a file of `xclip` is not there.
    """
    measured = {path.stem: _read_result(path) for path in xclip}
    out.mkdir(parents=True, exist_ok=True)
    on_step("pooling grid", 0, 1)
    grid = _grid(data)
    done: dict[str, Remedied] = {}
    experiments: list[Experiment] = []
    ready = [each for each in presets if data.after is not None or not each.after_llama]
    left_out = [
        f"{each.name} was not run: it reads videos behind the LLaMA, and these data hold none "
        f"(--videos-after)."
        for each in presets
        if each not in ready
    ]
    collected = Collected(data.name, experiments, grid, measured, _made_with(scale), left_out)
    # Alone it is not left out: the run itself says why it cannot be.
    for preset in ready or presets:
        folder = out / preset.name
        folder.mkdir(exist_ok=True)
        experiment = run_experiment(
            preset,
            data,
            scale,
            seed=seed,
            folder=folder / "training",
            done=done,
            on_epoch=lambda epoch, total, name=preset.name: on_step(name, epoch.number, total),
        )
        experiments.append(experiment)
        _write(folder, experiment)
        (out / PAGE).write_text(render_collected(collected), encoding="utf-8")
        (out / MARKDOWN).write_text(collected_markdown(collected), encoding="utf-8")
        values = [each.to_json() for each in experiments]
        (out / RESULTS).write_text(json.dumps(values, indent=1) + "\n", encoding="ascii")
        on_done(experiment)
    return collected


def _write(folder: Path, experiment: Experiment) -> None:
    (folder / "curves.csv").write_text(curves_csv(experiment.history), encoding="ascii")
    if experiment.remedy.epochs:
        remedied = remedied_csv(experiment.remedy.epochs)
        (folder / "remedied.csv").write_text(remedied, encoding="ascii")
    for name, picture in (
        ("loss.svg", loss_picture(experiment)),
        ("mrr.svg", mrr_picture(experiment)),
    ):
        # Alone, a picture has no page that brings the colours.
        begin, end = picture.split(">", 1)
        (folder / name).write_text(f"{begin}><style>{CSS}</style>{end}\n", encoding="utf-8")


def _grid(data: ExperimentData) -> PoolingGrid | None:
    """Compute the pooling grid of the test videos; None where it makes no sense."""
    texts, clips = some_items(data.texts, data.test_texts), some_items(data.clips, data.test_clips)
    pooled = texts.is_pooled and clips.is_pooled
    if pooled or texts.space.dimension != clips.space.dimension:
        return None
    return pooling_grid(texts, clips, data.qrels(data.test_texts), unaligned=True)


def _read_result(path: Path) -> dict[str, Any]:
    shown = display_path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {shown}")
    try:
        found: object = decode_json(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{shown} is not JSON ({error})") from error
    result = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    if not {"t2v", "v2t"} <= result.keys():
        raise ValueError(f"{shown} is no result of moviola evaluate --json: it has no t2v and v2t")
    return result


def _made_with(scale: Scale) -> str:
    named = ", ".join(f"{name} {version}" for name, version in versions().items())
    return f"Written by moviola experiment at the {scale} scale, with {named}."
