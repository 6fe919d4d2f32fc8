"""Draw a take as pixels, at any size, with NumPy alone.

Every outline is a signed distance in pixels, and its edge is blended over one pixel, so that a
picture drawn small looks like the large one averaged down.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from moviola.synthetic.shapes.world import Take, position

Array = NDArray[np.floating]

INKS = {
    "red": (222, 44, 44),
    "orange": (247, 140, 22),
    "yellow": (252, 222, 40),
    "green": (42, 168, 66),
    "blue": (42, 92, 226),
    "purple": (146, 58, 190),
    "white": (248, 248, 248),
    "black": (24, 24, 26),
}
WALLS = {
    "grey": ((142, 142, 146), (142, 142, 146)),
    "beige": ((212, 194, 160), (212, 194, 160)),
    "teal": ((92, 140, 140), (92, 140, 140)),
    "striped": ((168, 160, 172), (122, 114, 134)),
    "checkered": ((176, 172, 160), (116, 120, 124)),
    "dotted": ((150, 160, 170), (206, 206, 196)),
    "brick": ((168, 122, 104), (206, 196, 182)),
    "wavy": ((132, 148, 132), (178, 186, 164)),
}
PERIOD = 0.25
"""Length of a pattern's period: far more than a camera passes between two frames."""


def _mask(distance: Array, pixels: float) -> Array:
    """Compute coverage 0 to 1 of what has a negative distance, blended over one pixel."""
    return np.clip(0.5 - distance * np.float32(pixels), 0, 1)


def _circle(x: Array, y: Array, r: Array) -> Array:
    return np.hypot(x, y) - r


def _square(x: Array, y: Array, r: Array) -> Array:
    return np.maximum(np.abs(x), np.abs(y)) - 0.9 * r


def _triangle(x: Array, y: Array, r: Array) -> Array:
    slant = np.float32(np.sqrt(3) / 2) * np.abs(x) - 0.5 * y
    return np.maximum(slant, y) - 0.66 * r


def _star(x: Array, y: Array, r: Array) -> Array:
    # In a pentagram at most one of its five lines is crossed: the second largest counts.
    first = np.full_like(x, -np.inf)
    second = first
    for k in range(5):
        angle = -np.pi / 2 + 2 * np.pi * k / 5
        side = np.float32(np.cos(angle)) * x + np.float32(np.sin(angle)) * y
        second = np.maximum(second, np.minimum(first, side))
        first = np.maximum(first, side)
    return second - 0.42 * r


def _cross(x: Array, y: Array, r: Array) -> Array:
    x, y = np.abs(x), np.abs(y)
    long, thick = 1.08 * r, 0.38 * r
    return np.minimum(
        np.maximum(x - long, y - thick),
        np.maximum(y - long, x - thick),
    )


OUTLINES = {
    "circle": _circle,
    "square": _square,
    "triangle": _triangle,
    "star": _star,
    "cross": _cross,
}


def _wall_mask(kind: str, x: Array, y: Array, pixels: float) -> Array:
    """Compute coverage of a wall's second tone. x and y are in picture sides."""
    u, v = x % PERIOD, y % PERIOD
    half = np.float32(PERIOD / 2)
    if kind == "striped":
        return _mask(np.abs(u - half) - half / 2, pixels)
    if kind == "checkered":
        a, b = np.abs(u - half) - half / 2, np.abs(v - half) - half / 2
        across, along = _mask(a, pixels), _mask(b, pixels)
        return across + along - 2 * across * along
    if kind == "dotted":
        return _mask(np.hypot(u - half, v - half) - np.float32(0.06), pixels)
    if kind == "brick":
        tall = np.float32(PERIOD / 2)
        row = np.floor(y / tall)
        along = (x + row % 2 * half) % PERIOD
        mortar = np.float32(0.014)
        gap = np.minimum(np.minimum(along, PERIOD - along), np.minimum(y % tall, tall - y % tall))
        return _mask(gap - mortar, pixels)
    if kind == "wavy":
        swing = np.float32(0.05) * np.sin(x * np.float32(2 * np.pi / PERIOD))
        return _mask(np.abs((y + swing) % PERIOD - half) - half / 2, pixels * 0.8)
    return np.zeros_like(x)


def _background(take: Take, times: Array, grid: tuple[Array, Array], size: int) -> Array:
    """(T or 1, size, size, 3): the wall behind the things, as the camera sees it."""
    x, y = grid
    kind, camera = take.shot.background, take.shot.camera
    if camera != "fixed":
        way = times[:, None, None] * np.float32(take.pace)
        if camera.startswith("zoom"):
            factor = np.exp(way * (-1 if camera == "zoom_in" else 1))
            x, y = 0.5 + (x - 0.5) * factor, 0.5 + (y - 0.5) * factor
        else:
            # The camera turns left: the wall slides to the right.
            sign = -1 if camera in ("pan_left", "tilt_up") else 1
            x, y = (
                (x + sign * way, y + 0 * way)
                if camera.startswith("pan")
                else (x + 0 * way, y + sign * way)
            )
    mask = _wall_mask(kind, x + np.float32(take.offset[0]), y + np.float32(take.offset[1]), size)
    first, second = (np.asarray(tone, np.float32) for tone in WALLS[kind])
    wall = first + mask[..., None] * (second - first) + np.asarray(take.tint, np.float32) * 6
    # Light falls from above; it says nothing about the facts.
    return wall * (np.float32(1.06) - np.float32(0.14) * grid[1][..., None])


def _paint(frames: Array, take: Take, index: int, times: Array, grid: tuple[Array, Array]) -> None:
    """Draw one thing over (T, size, size, 3) frames, in place and only where it can be."""
    thing, track = take.shot.things[index], take.tracks[index]
    size = frames.shape[1]
    cx, cy, radius = (
        v.astype(np.float32) for v in position(track, thing.motion, times / take.seconds, times)
    )
    reach = 1.45 * radius + 2 / size
    left, right = (
        np.clip([(cx - reach).min() * size, (cx + reach).max() * size + 1], 0, size)
    ).astype(int)
    top, bottom = (
        np.clip([(cy - reach).min() * size, (cy + reach).max() * size + 1], 0, size)
    ).astype(int)
    if left >= right or top >= bottom:
        return
    x = grid[0][:, :, left:right] - cx[:, None, None]
    y = grid[1][:, top:bottom, :] - cy[:, None, None]
    cos, sin = np.float32(np.cos(track.tilt)), np.float32(np.sin(track.tilt))
    r = radius[:, None, None]
    u, v = cos * x + sin * y, cos * y - sin * x
    distance = OUTLINES[thing.shape](u, v, r)
    ink = np.asarray(INKS[thing.colour], np.float32)
    rim = ink * 0.62 if thing.colour != "black" else ink + 62
    inner = _mask(distance + 0.018, size)[..., None]
    colour = rim + inner * (ink - rim)
    if thing.texture != "plain":
        colour = colour + (_texture(thing.texture, u, v, size) * inner[..., 0])[..., None] * (
            rim - ink
        )
    patch = frames[:, top:bottom, left:right]
    patch += _mask(distance, size)[..., None] * (colour - patch)


def _texture(kind: str, x: Array, y: Array, pixels: float) -> Array:
    step = np.float32(0.09)
    if kind == "spotted":
        return _mask(np.hypot(x % step - step / 2, y % step - step / 2) - step / 4, pixels)
    return _mask(np.abs((x + y) % step - step / 2) - step / 4, pixels)


def render(take: Take, times: NDArray[np.floating], size: int) -> NDArray[np.uint8]:
    """Draw frames of a take.

    Args:
        take: what to draw.
        times: (T,) seconds since the start of the shot.
        size: side of the square picture in pixels.

    Returns:
        (T, size, size, 3) uint8 RGB.
    """
    at = np.asarray(times, np.float32)
    line = ((np.arange(size) + 0.5) / size).astype(np.float32)
    grid = (line[None, None, :], line[None, :, None])
    full = np.broadcast_to(grid[0], (1, size, size)), np.broadcast_to(grid[1], (1, size, size))
    frames = np.empty((len(at), size, size, 3), np.float32)
    frames[:] = _background(take, at, full, size)
    for index in range(len(take.tracks)):
        _paint(frames, take, index, at, grid)
    return np.clip(frames + 0.5, 0, 255).astype(np.uint8)
