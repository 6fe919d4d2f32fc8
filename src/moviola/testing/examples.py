"""Make what the kits show to encoders: odd texts, and clips as decoders give them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from moviola.core import Encoder, Frames, PairScorer, SoundSpec, Span, Waveform, wanted_sound

TEXTS = (
    "a red square moves left",
    "a blue circle grows",
    "",
    "   ",
    "word " * 2000,
    "ein Bär, 熊, دب",
    "🐻🎬",
    "two\nlines\tand a tab",
    "'; DROP TABLE clips; -- \\ \" %s {}",
)
SPANS = (Span(0.0, 0.04), Span(0.0, 1.0), Span(3.0, 9.0), Span(1e4, 1e4 + 6.0), Span(0.0, 3600.0))


def make_clips(encoder: Encoder | PairScorer) -> list[Frames]:
    """Make clips with as many frames as an encoder asks for, repeated if need be, and its sound.

    The first two are red and blue; of those with sound, one is silent, and the file of another
    has none.
    """
    sampler, sound = encoder.sampler, wanted_sound(encoder)
    rng = np.random.default_rng(0)
    spans = [SPANS[2], SPANS[2], SPANS[0], SPANS[1], SPANS[2], SPANS[2], SPANS[2], SPANS[2]]
    sizes = [(64, 64), (64, 64), (48, 80), (33, 47), (240, 320), (1, 1), (48, 80), (64, 64)]
    clips: list[Frames] = []
    for span, (height, width) in zip(spans, sizes, strict=True):
        times = sampler.times(span)
        noise = rng.integers(0, 256, (len(times), height, width, 3), np.uint8)
        clips.append(Frames(noise, times, sound and _noise(rng, span, sound)))
    for number, colour in ((0, (255, 0, 0)), (1, (0, 0, 255)), (7, (0, 0, 0))):
        clips[number].pixels[:] = colour
    still = np.repeat(clips[6].pixels[:1], len(clips[6]), axis=0)
    clips[6] = replace(clips[6], pixels=still, times=np.full(len(still), SPANS[2].start))
    if sound is not None:
        clips[6] = quiet(clips[6])
        nothing = np.zeros((sound.channels, 0), np.float32)
        clips[7] = replace(clips[7], sound=Waveform(nothing, sound.rate, SPANS[2].start))
    return clips


def quiet(clip: Frames) -> Frames:
    """Turn the sound of a clip off."""
    if clip.sound is None:
        return clip
    return replace(clip, sound=replace(clip.sound, samples=np.zeros_like(clip.sound.samples)))


def _noise(rng: np.random.Generator, span: Span, sound: SoundSpec) -> Waveform:
    shape = (sound.channels, round(span.duration * sound.rate))
    return Waveform(rng.uniform(-0.5, 0.5, shape).astype(np.float32), sound.rate, span.start)
