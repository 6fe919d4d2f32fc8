"""Compare results of mteb with one another and with ours: aggregates are all they hold."""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

from moviola.core import DatasetError, display_path
from moviola.core.json_text import decode_json
from moviola.evaluate.measures import Combined, MeasureCard, parse_measure
from moviola.pipeline.evaluate.comparing import read_report
from moviola.pipeline.evaluate.reporting import RESULTS

_UNPAIRED = (
    "mteb keeps no result of single queries, so no paired test is possible: whether a difference "
    "is more than luck is not known"
)
#: mteb's measures of retrieval to ours, and the factor from theirs: their recall is the share of
#: relevant items that was found, which is our Recall@K, and R@K is what they call hit rate.
_OURS = {
    "hit_rate": ("R", 100.0),
    "recall": ("Recall", 100.0),
    "ndcg": ("nDCG", 1.0),
    "map": ("mAP", 1.0),
    "mrr": ("MRR", 1.0),
    "precision": ("P", 1.0),
}
_AT = re.compile(r"(hit_rate|recall|ndcg|map|mrr|precision)_at_(\d+)")
#: The direction that a task of mteb names, where sound and joined inputs play no part in it.
_DIRECTION = re.compile(r"(?<![AV])(T2V|V2T)(?!A)")


@dataclass(frozen=True, slots=True)
class Summary:
    """Hold one result by its aggregates.

    Attributes:
        place: the file or folder.
        protocol: what was measured: task and revision, or the protocol of a report.
        parts: split and subset, or direction, to measure to aggregate.
        notes: what the result says of itself.
        version: of mteb, where it was mteb that measured.
    """

    place: Path
    protocol: str
    parts: dict[str, dict[str, float]]
    notes: tuple[str, ...] = ()
    version: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """Hold one measure of A and B, and B minus A."""

    a: float
    b: float
    difference: float


@dataclass(frozen=True, slots=True)
class ComparedSummaries:
    """Hold two results beside one another, without a test.

    Attributes:
        a: where the first lies.
        b: where the second lies.
        parts: split and subset, or direction, to measure to its values.
        unlike: in what the two differ though they should not; empty unless it was forced.
        notes: what must be known of them.
    """

    a: str
    b: str
    parts: dict[str, dict[str, Difference]]
    unlike: tuple[str, ...]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Write all of it as JSON values."""
        return asdict(self)


def card_of(name: str) -> MeasureCard | Combined:
    """Describe a measure by the name it has here; mteb's others are shown as they are."""
    try:
        return parse_measure(name)
    except ValueError:
        return MeasureCard(name)


def is_mteb_result(place: Path) -> bool:
    """Tell whether `place` is a file that is no `results.json` of ours."""
    return place.is_file() and place.name != RESULTS


def compare_summaries(a: Path, b: Path, *, force: bool = False) -> ComparedSummaries:
    """Compare two results, at least one of them of mteb, on the splits and measures that both have.

    Args:
        a: a result of mteb (`<task>.json`), or what `compare_reports` takes.
        b: likewise.
        force: compare results of other tasks or revisions all the same.

    Raises:
        FileNotFoundError: when a file is not there.
        DatasetError: when a file is not what it should be.
        ValueError: when the two were not measured alike, or have no split or measure in common.
    """
    first, second = _summary(a), _summary(b)
    unlike: tuple[str, ...] = ()
    if first.protocol != second.protocol:
        unlike = (f"another protocol ({first.protocol} and {second.protocol})",)
        if not force:
            raise ValueError(
                f"{display_path(a)} and {display_path(b)} were not measured alike: {unlike[0]}; "
                f"--force compares them all the same"
            )
    if is_mteb_result(a) != is_mteb_result(b):
        first, second = (
            _directed(each) if is_mteb_result(each.place) else each for each in (first, second)
        )
    parts: dict[str, dict[str, Difference]] = {}
    for part in [name for name in first.parts if name in second.parts]:
        ours, theirs = first.parts[part], second.parts[part]
        shared = [name for name in ours if name in theirs]
        if shared:
            parts[part] = {
                name: Difference(ours[name], theirs[name], theirs[name] - ours[name])
                for name in shared
            }
    if not parts:
        raise ValueError(
            f"the two results have no measure of one split in common: there are "
            f"{', '.join(first.parts)} and {', '.join(second.parts)}"
        )
    notes = [*first.notes, *second.notes, *_alone(first, second), _UNPAIRED]
    if first.version != second.version:
        notes.append(f"measured by {first.version or 'Moviola'} and {second.version or 'Moviola'}")
    return ComparedSummaries(
        display_path(a), display_path(b), parts, unlike, tuple(dict.fromkeys(notes))
    )


def _alone(first: Summary, second: Summary) -> list[str]:
    """List splits that only one of the two has, which are left out."""
    return [
        f"only {name} has {part}, which is left out"
        for name, one, other in (("A", first, second), ("B", second, first))
        for part in one.parts
        if part not in other.parts
    ]


def _summary(place: Path) -> Summary:
    if is_mteb_result(place):
        return read_mteb(place)
    report = read_report(place)
    parts = {side: report.head.get(side) for side in ("t2v", "v2t")}
    if not all(isinstance(values, dict) for values in parts.values()):
        raise DatasetError(f"{display_path(place)} holds no aggregates; make it again")
    return Summary(
        place,
        report.head.get("protocol") or "none claimed",
        cast("dict[str, dict[str, float]]", parts),
        tuple(report.head.get("notes", [])),
    )


def read_mteb(path: Path) -> Summary:
    """Read a result of mteb, as it lies in `results/<model>/<revision>/<task>.json`.

    Measures of retrieval get our names: `hit_rate_at_5` is `R@5`, `recall_at_5` is `Recall@5`,
    both in percent. Others keep theirs; `nauc_…`, which tell of a model's confidence, and
    `main_score`, which repeats one of them, are left out.

    Raises:
        FileNotFoundError: when there is no such file.
        DatasetError: when it is no such result.
    """
    shown = display_path(path)
    try:
        told: Any = decode_json(path.read_bytes())
    except ValueError as error:
        raise DatasetError(f"{shown} is not JSON: {error}") from error
    if not isinstance(told, dict) or not isinstance(told.get("scores"), dict):
        raise DatasetError(
            f"{shown} is no result of mteb: it has no scores; name <task>.json, or a folder that "
            f"moviola evaluate --out wrote"
        )
    names = [told.get("task_name"), told.get("dataset_revision")]
    if not all(isinstance(name, str) and name for name in names):
        raise DatasetError(f"{shown} is no result of mteb: it names no task_name or revision")
    parts: dict[str, dict[str, float]] = {}
    for split, subsets in told["scores"].items():
        for number, scores in enumerate(subsets if isinstance(subsets, list) else [subsets]):
            place = f"{shown}, scores[{split!r}][{number}]"
            if not isinstance(scores, dict) or not isinstance(scores.get("hf_subset"), str):
                raise DatasetError(f"{place} is no object with an hf_subset")
            subset = scores["hf_subset"]
            parts[split if subset == "default" else f"{split}, {subset}"] = _measures(scores)
    if not any(parts.values()):
        raise DatasetError(f"{shown} holds no scores")
    version = f"mteb {told.get('mteb_version') or 'of an unknown version'}"
    return Summary(path, f"{names[0]}, revision {names[1]}", parts, version=version)


def _measures(scores: dict[str, Any]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, value in scores.items():
        if type(value) not in (int, float) or not -math.inf < value < math.inf:
            continue
        if ours := _AT.fullmatch(name):
            measure, factor = _OURS[ours[1]]
            found[f"{measure}@{ours[2]}"] = factor * value
        elif name != "main_score" and not name.startswith("nauc_"):
            found[name] = float(value)
    return found


def _directed(result: Summary) -> Summary:
    """Sort a result of mteb by its direction, which only the name of its task tells."""
    found = set(_DIRECTION.findall(result.protocol.partition(",")[0]))
    if len(found) != 1 or len(result.parts) != 1:
        raise ValueError(
            f"{display_path(result.place)} does not tell which direction of a report it belongs "
            f"beside: it is {result.protocol}, of {', '.join(result.parts)}"
        )
    side = found.pop().lower()
    told = f"{display_path(result.place)} counts as {side}, after the name of its task"
    return replace(result, parts={side: next(iter(result.parts.values()))}, notes=(told,))
