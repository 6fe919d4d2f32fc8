"""Draw shots and videos: which facts they have, and where and when everything is.

Lengths are fractions of the picture's side, times are seconds; y grows downwards. What is drawn is
decided by the random generator that is passed, so that a seed fixes the world.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from moviola.synthetic.shapes.facts import (
    BACKGROUNDS,
    CAMERAS,
    COLOURS,
    MOTIONS,
    PATTERNED_BACKGROUNDS,
    SHAPES,
    TEXTURES,
    Shot,
    Sound,
    Thing,
    has_held_out,
)

SIDEWAYS = ("left", "right")
UPRIGHT = ("up", "down")
SWELLING = ("grow", "shrink")
DIRECTIONS = {"left": (-1.0, 0.0), "right": (1.0, 0.0), "up": (0.0, -1.0), "down": (0.0, 1.0)}
TIMBRES = ("pure", "hollow", "bright")
PLACING_TRIES = 24


@dataclass(frozen=True)
class Level:
    """Set how rich a world is."""

    things: tuple[float, ...] = (0.45, 0.55)
    """Chance of one, two, … things in a shot."""
    shots: tuple[float, ...] = (0.25, 0.45, 0.30)
    """Chance of one, two, … shots in a video."""
    textures: bool = False
    zooms: bool = False


LEVELS = {
    "plain": Level(),
    "hard": Level((0.2, 0.35, 0.3, 0.15), (0.1, 0.25, 0.3, 0.35), textures=True, zooms=True),
}


@dataclass(frozen=True)
class Track:
    """Place one thing: its start and radius, and how it is displaced and scaled at the end."""

    x: float
    y: float
    dx: float
    dy: float
    radius: float
    end_radius: float
    tilt: float
    period: float
    phase: float


@dataclass(frozen=True)
class Take:
    """Hold a shot with all that a renderer needs: facts, tracks, look, sound, length in seconds."""

    shot: Shot
    tracks: tuple[Track, ...]
    seconds: float
    sound: Sound
    tint: tuple[float, float, float]
    offset: tuple[float, float]
    pace: float
    """Compute the speed of the camera, in picture sides (or factors of e) a second."""


def pick(rng: np.random.Generator, among: tuple[str, ...]) -> str:
    """Draw one of `among`, each as likely."""
    return among[int(rng.integers(len(among)))]


def cameras_for(background: str, *, zooms: bool = False) -> tuple[str, ...]:
    """List the cameras that a background shows: plain walls hide all, upright stripes a tilt."""
    if background not in PATTERNED_BACKGROUNDS:
        return ("fixed",)
    pans = CAMERAS[:3] if background == "striped" else CAMERAS[:5]
    return pans + (CAMERAS[5:] if zooms else ())


def motions_for(camera: str) -> tuple[str, ...]:
    """List the motions that stay plain under a camera: none along its axis, no growth in a zoom."""
    if camera == "fixed":
        return MOTIONS
    if camera.startswith("pan"):
        return UPRIGHT + SWELLING + ("bounce",)
    if camera.startswith("tilt"):
        return SIDEWAYS + SWELLING
    return SIDEWAYS + UPRIGHT


def is_possible(shot: Shot, *, zooms: bool = False) -> bool:
    """Tell whether the rules of the world allow a shot."""
    looks = [(thing.shape, thing.colour) for thing in shot.things]
    large = sum(thing.size == "large" for thing in shot.things)
    return (
        shot.camera in cameras_for(shot.background, zooms=zooms)
        and all(thing.motion in motions_for(shot.camera) for thing in shot.things)
        and all((thing.size is None) == (thing.motion in SWELLING) for thing in shot.things)
        and len(set(looks)) == len(looks)
        # Two large things have no room to move past each other.
        and large <= 1
    )


def draw_thing(rng: np.random.Generator, camera: str, *, textures: bool = False) -> Thing:
    """Draw a thing whose motion suits the camera."""
    motion = pick(rng, motions_for(camera))
    size = None if motion in SWELLING else ("small" if rng.random() < 0.5 else "large")
    texture = pick(rng, TEXTURES) if textures else "plain"
    return Thing(pick(rng, SHAPES), pick(rng, COLOURS), size, motion, texture)


def draw_shot(rng: np.random.Generator, level: Level, *, held_out: bool | None) -> Shot:
    """Draw the facts of a shot.

    Args:
        rng: the source of chance.
        level: how rich the world is.
        held_out: False keeps the held-out combinations out, True asks for one, None does not care.
    """
    while True:
        background = pick(rng, BACKGROUNDS)
        moving = rng.random() < 0.55
        cameras = cameras_for(background, zooms=level.zooms)
        camera = pick(rng, cameras[1:]) if moving and len(cameras) > 1 else "fixed"
        count = 1 + int(rng.choice(len(level.things), p=level.things))
        things = tuple(draw_thing(rng, camera, textures=level.textures) for _ in range(count))
        shot = Shot(background, camera, things)
        if is_possible(shot, zooms=level.zooms) and held_out in (None, has_held_out(shot)):
            return shot


def _draw_track(rng: np.random.Generator, thing: Thing) -> Track:
    small, large = rng.uniform(0.140, 0.150), rng.uniform(0.265, 0.285)
    radius = end = large if thing.size == "large" else small
    if thing.motion in SWELLING:
        low, high = rng.uniform(0.12, 0.13), rng.uniform(0.27, 0.29)
        radius, end = (low, high) if thing.motion == "grow" else (high, low)
    # A large thing may leave the picture by a part of its radius; otherwise it could hardly move.
    edge = max(radius, end) * 0.78
    x, y = rng.uniform(edge, 1 - edge, 2)
    dx = dy = period = 0.0
    if thing.motion in DIRECTIONS:
        travel = rng.uniform(0.42, min(0.62, 1.04 - 2 * edge))
        along = rng.uniform(edge, 1 - edge - travel) if 1 - 2 * edge > travel else (1 - travel) / 2
        ux, uy = DIRECTIONS[thing.motion]
        dx, dy = ux * travel, uy * travel
        x = x if not ux else (along if ux > 0 else along + travel)
        y = y if not uy else (along if uy > 0 else along + travel)
    elif thing.motion == "loop":
        # dx is the radius of the loop, its sign the sense of rotation.
        dx = rng.uniform(0.13, 0.17) * (1 if rng.random() < 0.5 else -1)
        low, high = min(edge + abs(dx), 0.5), max(1 - edge - abs(dx), 0.5)
        x, y = rng.uniform(low, high, 2)
        period = rng.uniform(2.0, 2.6)
    elif thing.motion == "bounce":
        dy = -rng.uniform(0.24, 0.30)
        y = rng.uniform(min(edge - dy, 0.72), max(1 - edge, 0.72))
        period = rng.uniform(1.2, 1.5)
    tilt = rng.uniform(-0.15, 0.15)
    return Track(x, y, dx, dy, radius, end, tilt, period, rng.uniform(0, 1))


def position(
    track: Track, motion: str, fraction: np.ndarray, seconds: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compute the centre x, centre y and radius of a thing.

    Args:
        track: where it starts and ends.
        motion: one of `MOTIONS`.
        fraction: (T,) share of the shot that has passed, 0 to 1.
        seconds: (T,) seconds since the start of the shot.

    Returns:
        Three (T,) arrays, in fractions of the picture's side.
    """
    x, y = np.full_like(fraction, track.x), np.full_like(fraction, track.y)
    radius = track.radius * (track.end_radius / track.radius) ** fraction
    if motion in DIRECTIONS:
        x, y = x + track.dx * fraction, y + track.dy * fraction
    elif motion == "loop":
        angle = 2 * np.pi * (seconds / track.period * np.sign(track.dx) + track.phase)
        x, y = x + abs(track.dx) * np.cos(angle), y + abs(track.dx) * np.sin(angle)
    elif motion == "bounce":
        y = y + track.dy * np.abs(np.sin(np.pi * (seconds / track.period + track.phase)))
    return x, y, radius


def _crowding(tracks: tuple[Track, ...], things: tuple[Thing, ...], seconds: float) -> float:
    """Measure how far two things run into each other in a shot; at most 0 is no contact."""
    fraction = np.linspace(0, 1, 13)
    places = [
        position(track, thing.motion, fraction, fraction * seconds)
        for track, thing in zip(tracks, things, strict=True)
    ]
    worst = -1.0
    for i, (xa, ya, ra) in enumerate(places):
        for xb, yb, rb in places[:i]:
            gap = np.hypot(xa - xb, ya - yb) - (ra + rb)
            worst = max(worst, float(-gap.min()))
    return worst


def stage(rng: np.random.Generator, shot: Shot, seconds: float) -> Take:
    """Place the things of a shot so that they run into each other as little as possible.

    Args:
        rng: the source of chance.
        shot: the facts.
        seconds: length of the shot.
    """
    best: tuple[float, tuple[Track, ...]] = (np.inf, ())
    for _ in range(PLACING_TRIES):
        tracks = tuple(_draw_track(rng, thing) for thing in shot.things)
        crowding = _crowding(tracks, shot.things, seconds) if len(tracks) > 1 else -1.0
        best = min(best, (crowding, tracks), key=lambda found: found[0])
        if crowding <= 0:
            break
    pitch = (
        None if rng.random() < 0.2 else float(np.round(220 * 2 ** (rng.integers(0, 25) / 12), 1))
    )
    red, green, blue = (float(v) for v in rng.uniform(-1, 1, 3))
    x, y = (float(v) for v in rng.uniform(0, 1, 2))
    pace = float(rng.uniform(0.10, 0.15))
    sound = Sound(pitch, "silence" if pitch is None else pick(rng, TIMBRES))
    return Take(shot, best[1], seconds, sound, (red, green, blue), (x, y), pace)


def draw_video(
    rng: np.random.Generator, level: Level, *, held_out: bool | None
) -> tuple[Take, ...]:
    """Draw the takes of a video of 3 to 15 seconds; neighbouring shots never share all their facts.

    Args:
        rng: the source of chance.
        level: how rich the world is.
        held_out: False keeps held-out combinations out of every shot; True puts one in the first
            shot drawn.
    """
    count = 1 + int(rng.choice(len(level.shots), p=level.shots))
    special = int(rng.integers(count)) if held_out else -1
    longest = min(6.0, 15.0 / count)
    takes: list[Take] = []
    for i in range(count):
        seconds = float(np.round(rng.uniform(3.0, longest) * 12) / 12)
        shot = draw_shot(
            rng, level, held_out=True if i == special else (None if held_out else False)
        )
        while takes and shot == takes[-1].shot:
            shot = draw_shot(rng, level, held_out=False)
        takes.append(stage(rng, shot, seconds))
    return tuple(takes)


def look_alike(rng: np.random.Generator, shot: Shot) -> Shot:
    """Draw another shot of the same background, camera and colours, of other shapes or motions.

    Never shows a held-out combination. It is what a moment must be told from inside one video.
    """
    while True:
        things = list(shot.things)
        for i, thing in enumerate(things):
            shape = pick(rng, SHAPES) if rng.random() < 0.5 else thing.shape
            motion = pick(rng, motions_for(shot.camera)) if rng.random() < 0.7 else thing.motion
            size = None if motion in SWELLING else (thing.size or "small")
            things[i] = replace(thing, shape=shape, motion=motion, size=size)
        other = replace(shot, things=tuple(things))
        if is_possible(other) and not has_held_out(other) and _differs(shot, other):
            return other


def _differs(shot: Shot, other: Shot) -> bool:
    ours = {(thing.shape, thing.motion) for thing in shot.things}
    theirs = {(thing.shape, thing.motion) for thing in other.things}
    return not ours & theirs
