"""Measure the channel `writing`: its cost by size of picture, and what it makes up.

The cost is of a film that moves as a whole, one picture a second, so that every one is looked at;
two lines of text stand in it, one of them a clock. What is made up is counted on textures and
moving shapes without a letter, a minute of each.

Run: python benchmarks/writing.py [cost] [made-up]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import av.filter
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from recording import record

from moviola.channels import writing
from moviola.core import Channel, Frames, Passage, VideoInfo
from moviola.synthetic.shapes import draw
from moviola.synthetic.shapes.rendering import render
from moviola.synthetic.shapes.world import LEVELS
from moviola.testing import MemoryTools

SECONDS = 60
COST_SECONDS = 20
SIZES = [(426, 240), (854, 480), (1280, 720), (1920, 1080)]
#: Textures and patterns of FFmpeg's filters; each moves or changes from second to second.
TEXTURES = [
    "mandelbrot",
    "mandelbrot=start_scale=0.01",
    "mandelbrot=start_x=-1.2:start_y=-0.3:start_scale=0.3",
    "life=ratio=0.1:mold=10:life_color=#00ff00:death_color=#aa0000",
    "life=ratio=0.4:life_color=white:death_color=black",
    "cellauto=rule=110",
    "cellauto=rule=30",
    "gradients=n=8:speed=0.05",
    "gradients=n=3:speed=0.2:type=spiral",
    "sierpinski",
    "sierpinski=type=triangle",
    "perlin",
    "perlin=octaves=6:persistence=0.8",
    "smptebars",
    "rgbtestsrc",
    "zoneplate=kx2=20:ky2=20:kt=1",
]
WORLDS = 8


def textures(
    source: str, size: tuple[int, int] = (1280, 720), seconds: int = SECONDS
) -> Iterator[np.ndarray]:
    """Draw a texture, a picture `(H, W, 3)` for each second."""
    name, _, options = source.partition("=")
    graph = av.filter.Graph()
    every = f"rate=1:size={size[0]}x{size[1]}"
    nodes = [
        graph.add(name, f"{every}:{options}" if options else every),
        graph.add("format", "rgb24"),
        graph.add("buffersink"),
    ]
    graph.link_nodes(*nodes)
    graph.configure()
    for _ in range(seconds):
        yield graph.pull().to_ndarray(format="rgb24")


def shapes(number: int) -> Iterator[np.ndarray]:
    """Draw moving shapes before patterns, shot after shot."""
    videos = (draw(number, "train", i, level=LEVELS["hard"]) for i in range(SECONDS))
    seconds = (
        picture
        for video in videos
        for take in video.takes
        for picture in render(take, np.arange(int(take.seconds)), 360)
    )
    for _ in range(SECONDS):
        yield next(seconds)


def signed(pictures: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Draw a sign and a clock onto pictures, at a twentieth of their height."""
    for second, pixels in enumerate(pictures):
        image = Image.fromarray(pixels)
        height = max(14, pixels.shape[0] // 20)
        pen, font = ImageDraw.Draw(image), ImageFont.load_default(height)
        for top, text in ((0.1, "Platform nine"), (0.8, f"00:00:{second:02d}")):
            pen.text(
                (pixels.shape[1] // 10, round(top * pixels.shape[0])),
                text,
                fill="white",
                font=font,
                stroke_width=2,
                stroke_fill="black",
            )
        yield np.asarray(image)


def passages(channel: Channel, pictures: Iterable[np.ndarray]) -> tuple[list[Passage], float]:
    """Read pictures that are a second apart; return passages and processor seconds."""
    frames = [Frames(pixels[None], np.array([float(i)])) for i, pixels in enumerate(pictures)]
    info = VideoInfo(float(len(frames)), 0, 0, len(frames), "", "", has_sound=False)
    began = time.process_time()
    found = list(channel.passages(Path("film"), info, MemoryTools(pictures=frames)))
    return found, time.process_time() - began


def cost(channel: Channel) -> None:
    """Measure processor seconds a second of film, and what was found of the texts."""
    figures = []
    for size in SIZES:
        row = {"pictures": f"{size[0]} x {size[1]}"}
        for what, film in (
            ("without text", textures("mandelbrot", size, COST_SECONDS)),
            ("with two lines", signed(textures("mandelbrot", size, COST_SECONDS))),
        ):
            found, spent = passages(channel, film)
            row[f"CPU s a second, {what}"] = f"{spent / COST_SECONDS:.3f}"
        texts = {(passage.text, passage.span.start) for passage in found}
        right = sum((f"00:00:{i:02d}", float(i)) in texts for i in range(COST_SECONDS))
        row["clock read at its second"] = f"{right} of {COST_SECONDS}"
        figures.append(row)
    record(
        "writing_cost",
        "Text on screen: cost",
        figures,
        f"A film that moves as a whole, {COST_SECONDS} s, one picture a second, on one thread; "
        "decoding is not counted. Where nothing moves, a picture costs a twentieth of that.",
    )


def made_up(channel: Channel) -> None:
    """Count passages in pictures without text."""
    sources = [(source, textures(source)) for source in TEXTURES]
    sources += [(f"moving shapes, world {number}", shapes(number)) for number in range(WORLDS)]
    figures = []
    for name, film in sources:
        found, spent = passages(channel, film)
        figures.append(
            {
                "source": f"`{name}`",
                "passages a minute": len(found) * 60 // SECONDS,
                "CPU s a second": f"{spent / SECONDS:.3f}",
            }
        )
    total = sum(int(row["passages a minute"]) for row in figures)
    record(
        "writing_made_up",
        "Text on screen: made up where there is none",
        figures,
        f"{total} passages in {len(figures)} minutes of {len(figures)} sources without a letter.",
    )


def main() -> None:
    """Run what is asked for, all without arguments."""
    channel = writing.load()
    asked = sys.argv[1:] or ["cost", "made-up"]
    if "cost" in asked:
        cost(channel)
    if "made-up" in asked:
        made_up(channel)


if __name__ == "__main__":
    main()
