"""Make the tones of the generated world."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moviola.synthetic.shapes.facts import Sound

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE = 22050
"""Samples a second."""
LOUDNESS = 0.25
FADE_SECONDS = 0.05

OVERTONES: dict[str, tuple[float, ...]] = {
    "silence": (),
    "pure": (1.0,),
    "hollow": (1.0, 0.0, 1 / 3, 0.0, 1 / 5, 0.0, 1 / 7),
    "bright": (1.0, 1 / 2, 1 / 3, 1 / 4, 1 / 5, 1 / 6),
}
"""Strength of each multiple of the pitch."""


def tone(sound: Sound, seconds: float) -> NDArray[np.float32]:
    """Synthesise the sound of a shot.

    Returns:
        (samples,) float32 in [-1, 1], faded in and out; zeros for silence.
    """
    count = round(seconds * RATE)
    wave = np.zeros(count)
    if sound.pitch is None:
        return wave.astype(np.float32)
    times = np.arange(count) / RATE
    strengths = OVERTONES[sound.timbre]
    for number, strength in enumerate(strengths, start=1):
        wave += strength * np.sin(2 * np.pi * number * sound.pitch * times)
    edge = np.minimum(times, seconds - times) / FADE_SECONDS
    return (LOUDNESS * wave / sum(strengths) * np.clip(edge, 0, 1)).astype(np.float32)
