"""Check what every encoder promises."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from moviola.core import Encoder, Frames, FrameSampler, Readout, Space
from moviola.testing.abilities import check_abilities, check_sampler_abilities, check_sound
from moviola.testing.examples import SPANS, TEXTS, make_clips
from moviola.testing.promises import require, require_kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = list[NDArray[np.float32]]

InputT = TypeVar("InputT", str, Frames)


def check_encoder(encoder: Encoder, *, tolerance: float = 1e-3) -> None:
    """Check that an encoder keeps its promises: about forty small encodings.

    The abilities of `moviola.core.abilities` that it has are checked too.

    Args:
        encoder: what to check.
        tolerance: largest difference allowed between vectors of the same input encoded twice, or
            in another batch, and between a length and 1. Half precision may need 1e-2.

    Raises:
        AssertionError: one sentence that names the broken promise.
    """
    identity = _check_identity(encoder)
    check_sampler(encoder.sampler)
    check_sound(encoder)
    texts = _check_tower(
        "encode_texts",
        encoder.encode_texts,
        TEXTS,
        space=encoder.space,
        readout=encoder.text_readout,
        tolerance=tolerance,
    )
    require(
        not np.array_equal(texts[0], texts[1]),
        f"encode_texts gives {TEXTS[0]!r} and {TEXTS[1]!r} the same vector",
    )
    clips = make_clips(encoder)
    kept = [_copied(frames) for frames in clips]
    videos = _check_tower(
        "encode_videos",
        encoder.encode_videos,
        clips,
        space=encoder.space,
        readout=encoder.video_readout,
        tolerance=tolerance,
    )
    require(
        not np.array_equal(videos[0], videos[1]),
        "encode_videos gives a red clip and a blue clip the same vector",
    )
    require(
        all(
            np.array_equal(a, b)
            for before, frames in zip(kept, clips, strict=True)
            for a, b in zip(before, _copied(frames), strict=True)
        ),
        "encode_videos changes the pixels or the sound that it was given",
    )
    check_abilities(encoder, clips, texts, videos)
    require(
        _check_identity(encoder) == identity,
        "space or a readout changed while encoding; both must be known beforehand and stay",
    )


def _check_identity(encoder: Encoder) -> tuple[Space, Readout, Readout]:
    require_kind(
        encoder,
        Encoder,
        "an encoder has space, sampler, video_readout, text_readout, encode_texts, encode_videos",
    )
    found = _identity(encoder)
    names, kinds = ("space", "video_readout", "text_readout"), (Space, Readout, Readout)
    for name, value, again, wanted in zip(names, found, _identity(encoder), kinds, strict=True):
        require_kind(value, wanted, f"{name} is a {type(value).__name__}, not a {wanted.__name__}")
        require(value == again, f"{name} differs each time it is asked for")
        try:
            hash(value)
        except TypeError as error:
            raise AssertionError(f"{name} cannot be hashed: {error}") from error
    require(not encoder.space.is_anonymous, "space must name its model")
    require(encoder.space.dimension > 0, "space must have a positive dimension")
    return found


def _identity(encoder: Encoder) -> tuple[Space, Readout, Readout]:
    return encoder.space, encoder.video_readout, encoder.text_readout


def check_sampler(sampler: FrameSampler) -> None:
    """Check that a sampler pickles, names itself, and stays inside its spans.

    Raises:
        AssertionError: one sentence that names the broken promise.
    """
    try:
        copy: FrameSampler = pickle.loads(pickle.dumps(sampler))  # noqa: S301 - our own bytes
    except Exception as error:
        raise AssertionError(
            f"sampler does not pickle, and it has to travel to the decoders: {error}"
        ) from error
    require(bool(sampler.spec), "sampler.spec is empty")
    require(copy.spec == sampler.spec, "sampler.spec changes when the sampler is pickled")
    for span in SPANS:
        times = sampler.times(span)
        where = f"sampler.times for [{span.start}, {span.end})"
        require(
            times.ndim == 1 and len(times) > 0 and times.dtype == np.float64,
            f"{where} must be (T,) float64 with T at least 1, got {times.shape} {times.dtype}",
        )
        require(bool((np.diff(times) >= 0).all()), f"{where} decrease")
        require(
            bool((times >= span.start).all() and (times < span.end).all()),
            f"{where} leave the span: {times.min()} to {times.max()}",
        )
        require(np.array_equal(copy.times(span), times), f"{where} differ after pickling")
    check_sampler_abilities(sampler, copy)


def _copied(frames: Frames) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    heard = np.zeros((1, 0), np.float32) if frames.sound is None else frames.sound.samples
    return frames.pixels.copy(), heard.copy()


def _check_tower(
    name: str,
    encode: Callable[[Sequence[InputT]], Vectors],
    inputs: Sequence[InputT],
    *,
    space: Space,
    readout: Readout,
    tolerance: float,
) -> Vectors:
    require(len(encode([])) == 0, f"{name}([]) must give an empty list")
    together = encode(inputs)
    require(
        len(together) == len(inputs), f"{name} gave {len(together)} arrays for {len(inputs)} inputs"
    )
    for each, rows in zip(inputs, together, strict=True):
        _check_rows(rows, f"{name} of {_described(each)}", space, readout, tolerance)
    _compare(encode(inputs), together, inputs, f"{name} is not deterministic", tolerance)
    alone = [rows for each in inputs for rows in encode([each])]
    _compare(alone, together, inputs, f"{name} depends on the other inputs of a batch", tolerance)
    turned = encode(inputs[::-1])[::-1]
    _compare(turned, together, inputs, f"{name} depends on the order of a batch", tolerance)
    return together


def _check_rows(
    rows: NDArray[np.float32], what: str, space: Space, readout: Readout, tolerance: float
) -> None:
    require_kind(
        rows,
        np.ndarray,
        f"{what} must be (n, {space.dimension}), got a {type(rows).__name__}",
    )
    require(
        rows.ndim == 2 and rows.shape[1] == space.dimension,
        f"{what} must be (n, {space.dimension}), got {rows.shape}",
    )
    require(len(rows) > 0, f"{what} has no rows")
    require(rows.dtype == np.float32, f"{what} must be float32, got {rows.dtype}")
    require(bool(np.isfinite(rows).all()), f"{what} holds NaN or infinity")
    require(
        readout.pooling == "none" or len(rows) == 1,
        f"{what} has {len(rows)} rows, but its readout says that they are pooled",
    )
    if space.metric == "cosine" and readout.pooling != "none":
        lengths = np.linalg.norm(rows, axis=1)
        worst = float(lengths[np.abs(lengths - 1).argmax()])
        require(
            abs(worst - 1) <= tolerance,
            f"{what} has a row of length {worst:.4g}; rows must have length 1 under the cosine",
        )


def _compare(
    found: Vectors, wanted: Vectors, inputs: Sequence[object], sentence: str, tolerance: float
) -> None:
    for each, ours, theirs in zip(inputs, found, wanted, strict=True):
        require(
            ours.shape == theirs.shape,
            f"{sentence}: {_described(each)} has {len(ours)} rows or {len(theirs)}",
        )
        gap = float(np.abs(ours - theirs).max())
        require(gap <= tolerance, f"{sentence}: {_described(each)} moves by {gap:.2g}")


def _described(each: object) -> str:
    if isinstance(each, Frames):
        count, height, width, _ = each.pixels.shape
        return f"a clip of {count} frames of {width}x{height}"
    said = repr(each)
    return said if len(said) <= 40 else f"{said[:36]}...' ({len(said) - 2} characters)"
