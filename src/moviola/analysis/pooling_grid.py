"""Evaluate every video pooling against every text pooling."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from moviola.analysis.grid_cells import Cell, PoolingGrid
from moviola.analysis.grid_poolings import GRID, SidePoolings, find_grid_pooling, pooled
from moviola.analysis.heat_map import draw_heat_map
from moviola.core import Clip, Embeddings, Qrels, Text
from moviola.evaluate import RetrievalResult, evaluate
from moviola.evaluate.chance import chance_level
from moviola.pipeline.inputs.pairing import read_pairs
from moviola.pipeline.inputs.sources import parse_source
from moviola.score import cosine


def pooling_grid(
    texts: Embeddings[Text],
    clips: Embeddings[Clip],
    qrels: Qrels,
    *,
    poolings: Sequence[str] = tuple(GRID),
    unaligned: bool = False,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> PoolingGrid:
    """Evaluate every video pooling with every text pooling, under the cosine.

    Args:
        texts: unpooled, several rows a text.
        clips: unpooled, several rows a clip.
        qrels: text id to the ids of the clips it describes.
        poolings: what is tried on either side, as `find_grid_pooling` takes it.
        unaligned: compare vectors of two spaces all the same.
        on_progress: told how many cells of how many are finished.

    Raises:
        SpaceMismatchError: when texts and clips live in two spaces.
        ValueError: when both are pooled already, a pooled vector is zero, NaN or infinite, or there
            is no such pooling.
        PluginNotFoundError: when a pooling of somebody's own cannot be imported.
    """
    names = tuple(dict.fromkeys(poolings))
    for name in names:
        find_grid_pooling(name)
    if texts.is_pooled and clips.is_pooled:
        raise ValueError(
            "texts and videos have one row an item: there is nothing to pool; encode them with "
            "--pool none"
        )
    videos, captions = SidePoolings.of(clips, names), SidePoolings.of(texts, names)
    cells: dict[tuple[str, str], Cell] = {}
    relevant = [len(ids) for ids in qrels.relevant.values()]
    chance = chance_level(len(clips), relevant=relevant)
    for video in names:
        pooled_clips = pooled(clips, video)
        for text in names:
            key = videos.same[video], captions.same[text]
            constant = tuple(
                name
                for name, side, pooling in (("videos", videos, video), ("texts", captions, text))
                if pooling in side.constant
            )
            if key in cells:
                first = cells[key]
                cell = replace(first, video=video, text=text, same_as=key)
            else:
                scores = cosine(pooled(texts, text), pooled_clips, unaligned=unaligned)
                result = evaluate(scores, qrels, resamples=0)
                by_luck = result.t2v["MRR"] <= chance + 2 * _error(result, len(clips))
                cell = Cell(video, text, result, None, constant, bool(constant) or by_luck)
            cells[video, text] = cell
            on_progress(len(cells), len(names) ** 2)
    told = tuple(_notes(videos, captions, list(cells.values()), chance, len(clips)))
    return PoolingGrid(tuple(cells.values()), chance, told)


def grid_of_files(
    texts: str,
    videos: str,
    *,
    caption_video: str | None = None,
    poolings: Sequence[str] = tuple(GRID),
    unaligned: bool = False,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> PoolingGrid:
    """Compute the `pooling_grid` of two files, stores or folders of unpooled rows.

    Args:
        texts: a `.npy` file, `FILE.safetensors:TENSOR`, a store, or a folder of `.npy` files.
        videos: the same.
        caption_video: what says which text belongs to which video, as
            `moviola.pipeline.inputs.relevance.read_relevance` takes it; None where ids do, or
            both sides are bare arrays in the same order.
        poolings: as `pooling_grid`.
        unaligned: as `pooling_grid`.
        on_progress: as `pooling_grid`.

    Raises:
        FileNotFoundError: when there is nothing of that name.
        SpaceMismatchError: as `pooling_grid`.
        ValueError: as `pooling_grid`, or naming what cannot be used.
    """
    table = None if caption_video is None else parse_source(caption_video)
    pairs = read_pairs(parse_source(texts), parse_source(videos), table, pooling="none")
    return pooling_grid(
        pairs.texts,
        pairs.clips,
        pairs.qrels,
        poolings=poolings,
        unaligned=unaligned,
        on_progress=on_progress,
    )


def write_grid(grid: PoolingGrid, out: Path) -> list[Path]:
    """Write `results_dataframe.csv` and `heat_map.png` into folder `out`; return the paths."""
    out.mkdir(parents=True, exist_ok=True)
    table, picture = out / "results_dataframe.csv", out / "heat_map.png"
    table.write_text(grid.to_csv(), encoding="utf-8")
    draw_heat_map(picture, grid)
    return [table, picture]


def _error(result: RetrievalResult, gallery: int) -> float:
    """Compute the standard error of the MRR of random orders, one relevant item a query."""
    inverse = 1.0 / np.arange(1, gallery + 1)
    variance = (inverse**2).mean() - inverse.mean() ** 2
    return float(np.sqrt(variance / result.n_queries))


def _notes(
    videos: SidePoolings, texts: SidePoolings, cells: Sequence[Cell], chance: float, gallery: int
) -> Iterator[str]:
    for what, side in (("video", videos), ("text", texts)):
        for name, first in side.same.items():
            if name == first:
                continue
            why = "both give the same vectors here"
            if "sum" in name and "mean" in first:
                why = "the cosine ignores scale"
            elif name in side.constant:
                why = "every item has the same vector under both"
            yield f"{what} pooling {name} is {first}: {why}"
        for name in sorted(side.constant):
            yield (
                f"{what} pooling {name}: every {what} has the same vector, so that its cells are "
                f"chance (MRR {chance:.4f} for {gallery:,})"
            )
    lucky = [cell for cell in cells if cell.is_chance and not cell.constant]
    if lucky:
        named = ", ".join(f"{cell.video} x {cell.text}" for cell in lucky[:4])
        more = f" and {len(lucky) - 4} more" if len(lucky) > 4 else ""
        yield f"no better than chance, within two standard errors: {named}{more}"
