"""The search page in Chromium: from a click to the first frame, from Enter to the hits.

Needs what `make browser` installs. Clicks are on videos in H.264, 1280x720 at 30 frames a second,
with B-frames and a key frame every 250 frames at most, as encoders write them unless told
otherwise: the decoder has to run up to 8 s of video before it shows the moment. Searches are in
the library of `serve.py`: 100,000 clips, and a text tower of CLIP ViT-B/32's size; each sentence
is new, and the hits are drawn, their pictures left out.

Run: `python benchmarks/page.py`, from anywhere.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np

import moviola
import serve

BROWSER = Path(__file__).parents[1] / "tests" / "browser"
CLICKS = 40
SEARCHES = 60
PAUSE = 500  # milliseconds between two searches
CARDS = 60  # on the first page of hits


def film(path: Path, seconds: int, seed: int) -> None:
    """A texture of one colour that moves faster and faster, so that its parts differ."""
    random = np.random.default_rng(seed)
    noise = random.integers(0, 256, (90, 160), dtype=np.uint8)
    texture = np.kron(np.tile(noise, (1, 2)), np.ones((8, 8), np.uint8))
    colour = random.integers(40, 256, 3) / 255
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=30, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        for number in range(seconds * 30):
            shift = number * (1 + number // 60) % 1280
            pixels = texture[:, shift : shift + 1280, None] * colour
            frame = av.VideoFrame.from_ndarray(pixels.astype(np.uint8), "rgb24")
            output.mux(stream.encode(frame.reformat(format="yuv420p")))
        output.mux(stream.encode())


def look(server: serve.Server, scenario: str, data: dict[str, object]) -> dict[str, list[float]]:
    """What a scenario measures: milliseconds; `errors` are seconds."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or ""
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "data.json"
        given.write_text(json.dumps(data))
        done = subprocess.run(  # noqa: S603 -- our own driver
            ["node", BROWSER / "driver.mjs", scenario, server.address, folder, given],  # noqa: S607
            env={**os.environ, "CHROMIUM": chromium},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def tell(what: str, values: Sequence[float], unit: str) -> None:
    """Print the quantiles."""
    p50, p95 = np.quantile(values, [0.5, 0.95])
    print(f"{what:26} p50 {p50:7.3f}  p95 {p95:7.3f}  max {max(values):7.3f} {unit}", flush=True)


def clicks(folder: Path, videos: int, seconds: int) -> None:
    """Measure clicks on films that are made for it."""
    (folder / "videos").mkdir()
    for number in range(videos):
        film(folder / "videos" / f"{number}.mp4", seconds, number)
    library = folder / "library"
    moviola.index([folder / "videos"], library=library, model="shapes", segment="windows:2/1")
    with serve.Server(library) as server:
        found = look(server, "latency", {"address": "/?q=red&group=none", "clicks": CLICKS})
    print(f"{videos} videos of {seconds} s, 1280x720 H.264, key frames up to 8.3 s apart")
    tell("click to first frame", found["clicks"], "ms")
    tell("that frame's distance", found["errors"], "s")


def searches(library: Path) -> None:
    """Measure searches, the first ten left out."""
    warm = 10
    texts = serve.queries(5, warm + SEARCHES)
    with serve.Server(library) as server:
        found = look(server, "typing", {"texts": texts, "pause": PAUSE, "cards": CARDS})
    tell("Enter to hits on the page", found["searches"][warm:], "ms")


def main() -> None:
    """Both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=6)
    parser.add_argument("--seconds", type=int, default=30, help="Of each video.")
    parser.add_argument("--library", type=Path, help="One that `serve.py --keep` left.")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        clicks(Path(name), asked.videos, asked.seconds)
    with tempfile.TemporaryDirectory() as name:
        searches(asked.library or serve.build(Path(name), 100_000, padded=False))


if __name__ == "__main__":
    main()
