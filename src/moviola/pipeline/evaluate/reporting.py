"""Write an evaluation as a folder: a page for people, tables for programs; whole or not at all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from moviola.core import display_path
from moviola.core.json_text import decode_json
from moviola.core.version import __version__
from moviola.evaluate import DirectionResult
from moviola.evaluate.report import Facts, PageContents, render_page
from moviola.evaluate.report.facts import (
    by_group,
    failures,
    histogram,
    hubs,
    recall_curve,
    top_columns,
)
from moviola.evaluate.trec import qrels_lines, run_lines
from moviola.pipeline.evaluate.evaluation import Evaluation, as_object
from moviola.pipeline.evaluate.manifest import manifest, sha256_of_lines
from moviola.pipeline.media.thumbnails import thumbnails

RESULTS = "results.json"
PER_QUERY = "per_query.parquet"
SCHEMA = "moviola-results"
VERSION = 1
#: Lines of a run at most, and items of one text at most.
_RUN_LINES, _RUN_DEPTH = 1_000_000, 1000
_BLOCK = 1024


def require_free(out: Path) -> None:
    """Refuse a place that holds anything but an earlier report, which will be replaced.

    Raises:
        FileExistsError: when it does.
    """
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not (out.is_dir() and _is_report(out)):
        raise FileExistsError(
            f"{display_path(out)} is there and is no earlier report; name another folder"
        )


def write_report(
    evaluation: Evaluation, out: Path, *, groups: Mapping[str, frozenset[str]] | None = None
) -> None:
    """Write `report.html`, `results.json`, `per_query.parquet`, the TREC files and the manifest.

    Everything is written beside `out` first and appears there at once; an earlier report is
    replaced.

    Args:
        evaluation: what to report.
        out: the folder.
        groups: name of a category to the ids of its texts.

    Raises:
        FileExistsError: when `out` holds something else.
    """
    require_free(out)
    out = out.absolute()
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = out.with_name(out.name + ".partial")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    try:
        _write(evaluation, draft, groups or {})
        _replace(draft, out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def results_object(evaluation: Evaluation) -> dict[str, Any]:
    """Collect what `results.json` holds."""
    result = evaluation.result
    told = as_object(evaluation)
    for each in evaluation.corrected:
        told["corrected"][each.name]["intervals"] = _intervals(each.sides)
    pairs = (
        f"{text}\t{video}"
        for text, videos in sorted(evaluation.qrels.relevant.items())
        for video in sorted(videos)
    )
    return {
        "schema": SCHEMA,
        "version": VERSION,
        **told,
        "protocol": evaluation.asked.protocol,
        "scoring": evaluation.scoring,
        "tie_tolerance": result.tolerance,
        "measures": [measure.to_json() for measure in result.t2v.measures],
        "intervals": _intervals({"t2v": result.t2v, "v2t": result.v2t}),
        "notes": list(result.notes),
        # Two results with one digest asked the same queries of the same gallery.
        "relevance_sha256": sha256_of_lines(pairs),
        "gallery": result.t2v.n_gallery,
        "texts": result.v2t.n_gallery,
    }


def _intervals(sides: Mapping[str, DirectionResult]) -> dict[str, dict[str, list[float]]]:
    return {
        key: {name: list(bounds) for name, bounds in side.intervals.items()}
        for key, side in sides.items()
    }


def _write(evaluation: Evaluation, folder: Path, groups: Mapping[str, frozenset[str]]) -> None:
    _write_json(folder / RESULTS, results_object(evaluation))
    _write_per_query(evaluation, folder / PER_QUERY)
    with (folder / "qrels.trec").open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(qrels_lines(evaluation.qrels))
    with (folder / "run.trec").open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(run_lines(_ranked(evaluation), tag="moviola"))
    facts = _facts(evaluation, groups)
    page = render_page(_contents(evaluation, facts))
    (folder / "report.html").write_text(page, encoding="utf-8", newline="\n")
    _write_json(folder / "manifest.json", manifest(evaluation, run_depth=_depth(evaluation)))


def _facts(evaluation: Evaluation, groups: Mapping[str, frozenset[str]]) -> Facts:
    result, qrels, scores = evaluation.result, evaluation.qrels, evaluation.scores
    curves = {
        key: recall_curve(side.ranks, side.n_gallery, result.ties)
        for key, side in (("t2v", result.t2v), ("v2t", result.v2t))
    }
    by_category = by_group(result.t2v, groups, result.ties, seed=evaluation.asked.seed)
    if scores is None:
        return Facts(curves, groups=by_category)
    return Facts(
        curves=curves,
        histogram=histogram(scores, qrels),
        hubs=hubs(scores),
        failures=failures(scores, qrels, result.t2v, result.ties),
        groups=by_category,
    )


def _contents(evaluation: Evaluation, facts: Facts) -> PageContents:
    shown = {listed.clip for each in facts.failures for listed in (each.truth, *each.top)}
    clips = [clip for clip in evaluation.clips if clip.id in shown]
    relevant = evaluation.qrels
    return PageContents(
        title="How well texts find their videos",
        result=evaluation.result,
        protocol=_protocol(evaluation),
        facts=facts,
        one_each=all(
            len(ids) == 1
            for side in (relevant, relevant.transposed())
            for ids in side.relevant.values()
        ),
        words={text.id: text.text for text in evaluation.texts if text.text},
        thumbnails=thumbnails(clips),
        corrected=evaluation.corrected,
        made_with=f"Moviola {__version__}; schema {SCHEMA} {VERSION}. Seconds: "
        f"{evaluation.seconds:.1f}.",
    )


def _protocol(evaluation: Evaluation) -> list[tuple[str, str]]:
    result, asked = evaluation.result, evaluation.asked
    per_video = [len(ids) for ids in evaluation.qrels.transposed().relevant.values()]
    captions = (
        f"{min(per_video)}"
        if min(per_video) == max(per_video)
        else (f"{min(per_video)} to {max(per_video)}")
    )
    rows = [
        ("protocol", asked.protocol or "none claimed"),
        ("texts asked", f"{result.n_queries:,}"),
        ("videos in the gallery", f"{result.n_gallery:,}"),
        ("captions a video", captions),
        ("scoring", evaluation.scoring),
        ("post-processing", "none" if evaluation.spaces else "unknown: the scores were given"),
        ("ties", f"{result.ties}, within {result.tolerance:g} of a row's largest score"),
    ]
    rows += [(f"space of {side}", space) for side, space in evaluation.described_spaces().items()]
    return rows + [(name.replace("_", " "), value) for name, value in evaluation.inputs.items()]


def _depth(evaluation: Evaluation) -> int:
    shared = max(10, _RUN_LINES // max(1, len(evaluation.texts)))
    return min(_RUN_DEPTH, shared, evaluation.result.n_gallery)


def _ranked(evaluation: Evaluation) -> Iterator[tuple[str, list[tuple[str, float]]]]:
    depth, scores = _depth(evaluation), evaluation.scores
    if scores is None:
        for text, items in evaluation.run.items():
            yield text, sorted(items.items(), key=lambda pair: -pair[1])[:depth]
        return
    for first in range(0, len(scores.queries), _BLOCK):
        block = scores.matrix[first : first + _BLOCK]
        best = top_columns(block, depth)
        # Through text: a float32 in its own few digits, which order and tie as it does.
        values = np.take_along_axis(block, best, axis=1).astype(str).astype(np.float64)
        for row in range(len(block)):
            items = [scores.gallery[int(column)] for column in best[row]]
            ranked = [(item, float(value)) for item, value in zip(items, values[row], strict=True)]
            yield scores.queries[first + row], ranked


def _write_per_query(evaluation: Evaluation, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables: list[pa.Table] = []
    for key, side in (("t2v", evaluation.result.t2v), ("v2t", evaluation.result.v2t)):
        columns = {"direction": [key] * side.n_queries, "query": list(side.queries)}
        tables.append(pa.table({**columns, **side.per_query}))
    pq.write_table(pa.concat_tables(tables), path)


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=True, indent=1) + "\n", encoding="ascii")


def _is_report(folder: Path) -> bool:
    try:
        value = decode_json((folder / RESULTS).read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(value, dict) and value.get("schema") == SCHEMA


def _replace(draft: Path, out: Path) -> None:
    old = out.with_name(out.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        out.rename(old)
    draft.rename(out)
    shutil.rmtree(old, ignore_errors=True)
