"""Calibrate a library on captions of its videos: fit, measure on videos left out, and keep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from moviola.core import DatasetError, Span, display_path
from moviola.datasets.annotations.captions import read_caption_table
from moviola.library import Library
from moviola.pipeline.calibrate.intervals import Measured, measure_over_videos
from moviola.pipeline.calibrate.joining import JoiningReport, choose_joining
from moviola.pipeline.calibrate.trials import LibraryTrials, search_captions
from moviola.pipeline.inputs.library_videos import find_videos
from moviola.pipeline.search.aligned_encoder import head_of, load_aligned
from moviola.retrieve.calibration.library_calibration import LibraryCalibration, Restated
from moviola.retrieve.calibration.logistic import fit_logistic, probabilities_of
from moviola.retrieve.calibration.measures import (
    ABSENT_PROBABILITY,
    STRONG_PROBABILITY,
    area_under_curve,
    calibration_error,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moviola.core import Encoder

#: Captions, and videos that they are about, that a calibration needs at least.
FEWEST_CAPTIONS, FEWEST_VIDEOS = 50, 20
_FOLDS = 5
# "Nothing matches well" is said by a library's own calibration if it was said so often, and so
# often rightly, of captions left out.
_FEWEST_ABSENT, _ABSENT_RIGHT = 10, 0.9


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """Hold what a library was calibrated on, and the measures on videos left out.

    Attributes:
        captions: that were used.
        videos: that they are about.
        unknown: captions that name no video of the library.
        figures: by name, of the new calibration.
        before: the same of the general calibration on the same searches.
        absent_said: whether the library's own "nothing matches well" was measured to be right.
        joining: of windows, chosen where enough captions tell their moments; else None.
    """

    captions: int
    videos: int
    unknown: int
    figures: dict[str, Measured]
    before: dict[str, Measured]
    absent_said: bool
    joining: JoiningReport | None = None


def calibrate(
    captions: Path, library: Library, *, on_progress: Callable[[int, int], Any] = lambda *_: None
) -> CalibrationReport:
    """Make a calibration of `library` from captions of its videos, and keep it there.

    Every caption is searched twice: as it is, and with its video taken away. The logits of the
    general calibration are then restated by a slope and an intercept (Platt, 1999). Where captions
    tell their moments, the joining of windows is chosen too, and kept on the library's card.

    Args:
        captions: a table with the columns `video` and `caption`, and perhaps `start` and `end`.
        library: an open library.
        on_progress: called with captions done and their number.

    Raises:
        DatasetError: when the table cannot be read or names no videos.
        ValueError: when there are too few pairs, no caption finds its video, or the library keeps
            several rows a clip.
        StorageError: when it cannot be written.
        LibraryLockedError: when another process writes, and another joining was chosen.
    """
    if library.card.rows:
        raise ValueError(
            f"this library keeps several rows a clip ({library.card.rows}), whose scores have no "
            f"calibration; calibrate one of the same videos that keeps one vector a clip"
        )
    texts, owners, spans, unknown = read_library_pairs(captions, library)
    encoder = load_aligned(library.card.model, head_of(library.path))
    library.require(space=encoder.space, text_readout=encoder.text_readout)
    trials = search_captions(texts, owners, library, encoder, on_progress)
    if not trials.is_right.any():
        raise ValueError(
            "no caption finds its video first, so that there is nothing to calibrate; check that "
            "the column 'video' names the right ones"
        )
    joining = _join(texts, owners, spans, library, encoder)
    right, holds = _left_out(trials)
    report = CalibrationReport(
        captions=len(texts),
        videos=len(set(owners)),
        unknown=unknown,
        figures=_figures(right, holds, trials),
        before=_figures(probabilities_of(trials.right), probabilities_of(trials.holds), trials),
        absent_said=_is_absence_told(holds, trials),
        joining=joining,
    )
    everything = np.ones(len(trials.videos), np.bool_)
    measured = {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "captions": report.captions,
        "videos": report.videos,
        "figures": {name: (f.value, f.low, f.high) for name, f in report.figures.items()},
    }
    LibraryCalibration(
        _fit(trials.right, trials.is_right, everything),
        _fit_later(trials),
        _fit(trials.holds, trials.is_held, everything) if report.absent_said else None,
        measured,
    ).write(library.path)
    return report


def _join(
    texts: list[str],
    owners: list[str],
    spans: list[Span | None],
    library: Library,
    encoder: Encoder,
) -> JoiningReport | None:
    """Choose the joining of windows and keep it, where enough captions tell their moments."""
    told = [
        (text, owner, span)
        for text, owner, span in zip(texts, owners, spans, strict=True)
        if span is not None
    ]
    if len(told) < FEWEST_CAPTIONS or len({owner for _, owner, _ in told}) < FEWEST_VIDEOS:
        return None
    joining = choose_joining(told, library, encoder)
    if joining.sharpness != joining.before:
        with library.writer():
            library.record_sharpness(joining.sharpness)
    return joining


def read_library_pairs(
    path: Path, library: Library
) -> tuple[list[str], list[str], list[Span | None], int]:
    """Read captions, ids of their videos and moments, and count those whose video is not here.

    Raises:
        DatasetError: when the table cannot be read or names no videos.
        ValueError: when there are too few pairs for a calibration.
    """
    rows = read_caption_table(path)
    if not rows or rows[0].video is None:
        raise DatasetError(
            f"{display_path(path)} has no rows with a column 'video', which says what each "
            "caption describes"
        )
    known = find_videos({str(row.video) for row in rows}, library)
    pairs = [(row.text, known[str(row.video)], row.span) for row in rows if str(row.video) in known]
    videos = {video for _, video, _ in pairs}
    if len(pairs) < FEWEST_CAPTIONS or len(videos) < FEWEST_VIDEOS:
        raise ValueError(
            f"a calibration needs {FEWEST_CAPTIONS} captions of {FEWEST_VIDEOS} videos of the "
            f"library at least, and {display_path(path)} has {len(pairs)} of {len(videos)} "
            f"({len(rows) - len(pairs)} more name no video of it)"
        )
    texts, owners = [text for text, _, _ in pairs], [video for _, video, _ in pairs]
    return texts, owners, [span for _, _, span in pairs], len(rows) - len(pairs)


def _fit(
    logits: NDArray[np.float64], outcomes: NDArray[np.bool_], chosen: NDArray[np.bool_]
) -> Restated:
    """Restate logits so that they fit what came true; a slope below 0 would turn them round."""
    found = fit_logistic(logits[chosen, None], outcomes[chosen], ridge=1e-4)
    return Restated(max(found.weights[0], 0.0), found.intercept)


def _fit_later(trials: LibraryTrials) -> Restated:
    """Restate the logits of later hits, or leave them where none or all are right."""
    if not trials.later_right.any() or trials.later_right.all():
        return Restated(1.0, 0.0)
    return _fit(trials.later, trials.later_right, np.ones(len(trials.later), np.bool_))


def _left_out(trials: LibraryTrials) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give each search the probabilities that a fit without its video's captions gives it."""
    fold = np.random.default_rng(0).permutation(int(trials.videos.max()) + 1) % _FOLDS
    right, holds = np.empty(len(trials.videos)), np.empty(len(trials.videos))
    for number in range(_FOLDS):
        out = fold[trials.videos] == number
        for logits, outcomes, found in (
            (trials.right, trials.is_right, right),
            (trials.holds, trials.is_held, holds),
        ):
            fitted = _fit(logits, outcomes, ~out)
            found[out] = probabilities_of(fitted.slope * logits[out] + fitted.intercept)
    return right, holds


def _is_absence_told(holds: NDArray[np.float64], trials: LibraryTrials) -> bool:
    said = holds < ABSENT_PROBABILITY
    return bool(said.sum() >= _FEWEST_ABSENT and (~trials.is_held[said]).mean() >= _ABSENT_RIGHT)


def _figures(
    right: NDArray[np.float64], holds: NDArray[np.float64], trials: LibraryTrials
) -> dict[str, Measured]:
    """Measure probabilities, with bootstrap intervals over videos."""
    measures: dict[str, Callable[[NDArray[np.int64]], float]] = {
        "AUC": lambda rows: area_under_curve(right[rows], trials.is_right[rows]),
        "calibration error": lambda rows: calibration_error(right[rows], trials.is_right[rows]),
        "strong": lambda rows: float((right[rows] >= STRONG_PROBABILITY).mean()),
        "right, of strong": lambda rows: _mean(
            trials.is_right[rows][right[rows] >= STRONG_PROBABILITY]
        ),
        "absent, of 'nothing matches'": lambda rows: _mean(
            ~trials.is_held[rows][holds[rows] < ABSENT_PROBABILITY]
        ),
    }
    return measure_over_videos(measures, trials.videos)


def _mean(marks: NDArray[np.bool_]) -> float:
    return float(marks.mean()) if marks.size else float("nan")
