"""Check what an encoder and its sampler can do beyond their protocols."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import numpy as np

from moviola.core import (
    Chooses,
    Clip,
    Curve,
    Embeddings,
    Encoder,
    Frames,
    FrameSampler,
    FrameTower,
    ManyReadouts,
    PictureSize,
    Precision,
    Readout,
    Scores,
    Sized,
    SoundSpec,
    Space,
    TellsPrecision,
    Text,
    own_calibration,
    own_frame_tower,
    own_scorer,
    own_sharpness,
    own_shrink,
    wanted_sound,
)
from moviola.testing.examples import SPANS, TEXTS, quiet
from moviola.testing.promises import require, require_kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = list[NDArray[np.float32]]

InputT = TypeVar("InputT", str, Frames)


def check_sampler_abilities(sampler: FrameSampler, copy: FrameSampler) -> None:
    """Check `size` and `choose` of a sampler, where it has them.

    Args:
        sampler: what to check.
        copy: the same, pickled and unpickled.

    Raises:
        AssertionError: one sentence that names the broken promise.
    """
    if isinstance(sampler, Sized):
        require_kind(
            sampler.size,
            (PictureSize, NoneType),
            f"sampler.size is a {type(sampler.size).__name__}, neither a PictureSize nor None",
        )
        require(
            sampler.size is None or sampler.size.spec in sampler.spec,
            f"sampler.spec does not name the size that is wanted ({sampler.size})",
        )
    if isinstance(sampler, Chooses) and isinstance(copy, Chooses):
        for span in SPANS:
            count = max(1, min(500, int(span.duration * 25)))
            shown = span.start + np.arange(count, dtype=np.float64) * (span.duration / count)
            chosen = sampler.choose(span, shown.copy())
            where = f"sampler.choose for [{span.start}, {span.end})"
            require(
                chosen.ndim == 1 and len(chosen) > 0 and bool(np.isin(chosen, shown).all()),
                f"{where} must give some of the seconds it is shown",
            )
            require(bool((np.diff(chosen) >= 0).all()), f"{where} gives seconds that decrease")
            require(
                np.array_equal(copy.choose(span, shown.copy()), chosen),
                f"{where} differs after pickling",
            )


def check_abilities(
    encoder: Encoder, clips: Sequence[Frames], texts: Vectors, videos: Vectors
) -> None:
    """Check the sound, calibration, scorer, precision and readouts of an encoder that has them.

    Args:
        encoder: what to check.
        clips: what `videos` were made of.
        texts: its rows of `TEXTS`.
        videos: its rows of the clips.

    Raises:
        AssertionError: one sentence that names the broken promise.
    """
    _check_calibration(encoder)
    _check_sharpness(encoder)
    _check_precision(encoder)
    if own_scorer(encoder) is not None:
        _check_scorer(encoder, texts, videos)
    if isinstance(encoder, ManyReadouts):
        _check_readouts(encoder, clips)
    _check_shrink(encoder, clips, videos)
    if (tower := own_frame_tower(encoder)) is not None:
        _check_frame_tower(tower, clips, videos)
    if wanted_sound(encoder) is not None:
        (silent,) = encoder.encode_videos([quiet(clips[0])])
        require(
            not np.array_equal(silent, videos[0]),
            "encode_videos gives a clip with sound and the same one in silence the same vector, "
            "so it need not ask for sound",
        )


def _check_shrink(encoder: Encoder, clips: Sequence[Frames], videos: Vectors) -> None:
    if (shrink := own_shrink(encoder)) is None:
        return
    small = [replace(clip, pixels=shrink(clip.pixels.copy())) for clip in clips]
    for wanted, found in zip(videos, encoder.encode_videos(small), strict=True):
        require(
            wanted.shape == found.shape and np.allclose(wanted, found, atol=1e-4),
            "shrink changes the vectors of frames: it must reduce them as the model would",
        )


def _check_frame_tower(tower: FrameTower[Any], clips: Sequence[Frames], videos: Vectors) -> None:
    rows = tower.encode_frames([frame for clip in clips for frame in clip.pixels])
    ends = np.cumsum([len(clip) for clip in clips])
    require(
        len(rows) == ends[-1],
        f"frame_tower.encode_frames gives {len(rows)} rows for {ends[-1]} frames",
    )
    for wanted, found in zip(videos, tower.pool_frames(np.split(rows, ends[:-1])), strict=True):
        require(
            wanted.shape == found.shape and np.allclose(wanted, found, atol=1e-4),
            "frame_tower gives other rows for the frames of a clip than encode_videos",
        )


def check_sound(encoder: Encoder) -> None:
    """Check that `sound` is a `SoundSpec` or None, and that the readout of clips tells of it.

    Raises:
        AssertionError: one sentence that names the broken promise.
    """
    heard = wanted_sound(encoder)
    require_kind(
        heard,
        (SoundSpec, NoneType),
        f"sound is a {type(heard).__name__}, neither a SoundSpec nor None",
    )
    require(
        heard is None or heard.spec in encoder.video_readout.sampling,
        f"video_readout.sampling does not tell of the sound that is heard ({heard and heard.spec})",
    )


def _check_calibration(encoder: Encoder) -> None:
    curve = own_calibration(encoder)
    if curve is None:
        return
    require_kind(
        curve, Curve, f"calibration is a {type(curve).__name__} without slope and intercept"
    )
    require(
        bool(np.isfinite([curve.slope, curve.intercept]).all()) and curve.slope > 0,
        f"calibration has slope {curve.slope} and intercept {curve.intercept}: both must be "
        f"finite, and a higher score more likely",
    )


def _check_sharpness(encoder: Encoder) -> None:
    sharpness = own_sharpness(encoder)
    require(
        bool(np.isfinite(sharpness)) and sharpness >= 0,
        f"sharpness is {sharpness}: it must be finite and at least 0",
    )


def _check_precision(encoder: Encoder) -> None:
    if not isinstance(encoder, TellsPrecision):
        return
    for tower in ("clips", "texts"):
        said: object = encoder.precision(tower)
        require(
            said in get_args(Precision),
            f"precision({tower!r}) is {said!r}, which is none of {', '.join(get_args(Precision))}",
        )
        require(encoder.precision(tower) == said, f"precision({tower!r}) differs each time")


def _check_scorer(encoder: Encoder, texts: Vectors, videos: Vectors) -> None:
    scorer = own_scorer(encoder)
    if scorer is None:
        return
    asked = [Text(str(number), text) for number, text in enumerate(TEXTS)]
    shown = [Clip(str(number), Path("clip"), SPANS[1]) for number in range(len(videos))]
    found = scorer(
        Embeddings[Text].from_rows(asked, texts, encoder.space, encoder.text_readout),
        Embeddings[Clip].from_rows(shown, videos, encoder.space, encoder.video_readout),
    )
    require_kind(found, Scores, f"scorer gives a {type(found).__name__}, not Scores")
    wanted = (len(texts), len(videos))
    require(
        found.matrix.shape == wanted, f"scorer gives scores of {found.matrix.shape}, not {wanted}"
    )
    require(bool(np.isfinite(found.matrix).all()), "scorer gives NaN or infinity")


def _check_readouts(encoder: ManyReadouts, clips: Sequence[Frames]) -> None:
    names = list(encoder.text_readouts)
    require(
        bool(names) and names == list(encoder.video_readouts),
        "text_readouts and video_readouts must have the same names, at least one",
    )
    for what, first, own in (
        ("text", encoder.text_readouts[names[0]], encoder.text_readout),
        ("video", encoder.video_readouts[names[0]], encoder.video_readout),
    ):
        require(first == own, f"{what}_readout is not the first of {what}_readouts")
    space, texts, videos = encoder.space, encoder.text_readouts, encoder.video_readouts
    _check_read("read_texts", encoder.read_texts, TEXTS[:2], texts, space)
    _check_read("read_videos", encoder.read_videos, clips[:2], videos, space)


def _check_read(
    name: str,
    read: Callable[[Sequence[InputT]], Sequence[Mapping[str, NDArray[np.float32]]]],
    inputs: Sequence[InputT],
    readouts: Mapping[str, Readout],
    space: Space,
) -> None:
    found = read(inputs)
    require(len(found) == len(inputs), f"{name} gave {len(found)} for {len(inputs)} inputs")
    for each in found:
        require(set(each) == set(readouts), f"{name} gives {sorted(each)}, not {sorted(readouts)}")
        for readout, rows in each.items():
            require(
                rows.ndim == 2 and rows.shape[1] == space.dimension and rows.dtype == np.float32,
                f"{name} of {readout!r} must be (n, {space.dimension}) float32, "
                f"got {rows.shape} {rows.dtype}",
            )
            require(bool(np.isfinite(rows).all()), f"{name} of {readout!r} holds NaN or infinity")
