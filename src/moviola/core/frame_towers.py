"""Name what an encoder may be able to do with single frames: reduce them early, encode each once.

As in `moviola.core.abilities`, both are asked for by `isinstance`, and an encoder that wraps
another may have them and still answer None.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RowsT_co = TypeVar("RowsT_co", covariant=True)

Shrink = Callable[["NDArray[np.uint8]"], "NDArray[np.uint8]"]
"""Reduce frames `(T, H, W, 3)` uint8, to `(T, h, w, 3)` uint8."""


@runtime_checkable
class Shrinks(Protocol):
    """Reduce frames to what the model sees of them: an ability of an `Encoder`.

    The vectors of frames that were reduced beforehand are the same, so whoever decodes may reduce
    them at once: a clip of a 4K file then weighs no more than one of a small file.
    """

    @property
    def shrink(self) -> Shrink | None:
        """Return what reduces frames; run from several threads. None for nothing."""
        ...


class FrameTower(Protocol[RowsT_co]):
    """Encode frames one by one, and make the rows of clips out of theirs."""

    def encode_frames(self, frames: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Encode frames `(H, W, 3)` uint8 to rows `(N, D)`, each as if it were alone."""
        ...

    def pool_frames(self, clips: Sequence[NDArray[np.float32]]) -> Sequence[RowsT_co]:
        """Make of the rows `(T, D)` of each clip's frames what `encode_videos` makes of it."""
        ...


@runtime_checkable
class FrameWise(Protocol, Generic[RowsT_co]):
    """Encode frames one by one: an ability of an `Encoder`.

    A frame that several clips share is then encoded once.
    """

    @property
    def frame_tower(self) -> FrameTower[RowsT_co] | None:
        """Return what encodes frames, None where they are seen together."""
        ...


def own_shrink(encoder: object) -> Shrink | None:
    """Return what reduces frames for `encoder`, None where it takes them as they are."""
    return encoder.shrink if isinstance(encoder, Shrinks) else None


def own_frame_tower(encoder: object) -> FrameTower[Any] | None:
    """Return what encodes single frames for `encoder`, None where it sees them together."""
    if not isinstance(encoder, FrameWise):
        return None
    return cast("FrameWise[Any]", encoder).frame_tower
