"""The search page in Chromium: from a click to the first frame at the moment, from a key to hits.

Needs what `make browser` installs. The videos are H.264, 1280x720 at 30 frames a second, with
B-frames and a key frame every 250 frames at most, as encoders write them unless told otherwise:
the decoder has to run up to 8 s of video before it shows the moment.

Run: python benchmarks/page.py [videos] [seconds of each]
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import av
import numpy as np

import moviola

BROWSER = Path(__file__).parents[1] / "tests" / "browser"
PORT = 8790
CLICKS = 40
WORDS = ["red", "blue", "green", "white", "red circle", "blue square", "moves left", "star"] * 3


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


def look(folder: Path) -> dict[str, dict[str, float]]:
    """What the scenario measures, in milliseconds; `errors` in seconds."""
    given = folder / "data.json"
    given.write_text(
        json.dumps({"address": "/?q=red&group=none", "clicks": CLICKS, "words": WORDS})
    )
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or ""
    done = subprocess.run(  # noqa: S603 -- our own driver
        ["node", BROWSER / "driver.mjs", "latency", f"http://127.0.0.1:{PORT}", folder, given],  # noqa: S607
        env={**os.environ, "CHROMIUM": chromium},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def main() -> None:
    """Print quantiles."""
    videos = int(sys.argv[1]) if len(sys.argv) > 1 else 6
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 30
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "videos").mkdir()
        for number in range(videos):
            film(folder / "videos" / f"{number}.mp4", seconds, number)
        library = folder / "library"
        moviola.index([folder / "videos"], library=library, model="shapes", segment="windows:2/1")
        command = [sys.executable, "-m", "moviola", "serve", "--library", library]
        server = subprocess.Popen(  # noqa: S603 -- ourselves
            [*command, "--no-browser", "--port", str(PORT)]
        )
        try:
            _await(f"http://127.0.0.1:{PORT}/api/status")
            found = look(folder)
        finally:
            server.terminate()
            server.wait()
    print(f"{videos} videos of {seconds} s, 1280x720 H.264, key frames up to 8.3 s apart")
    for what, unit in (("clicks", "ms"), ("errors", "s"), ("keys", "ms")):
        row = found[what]
        print(f"{what:7} n={row['n']:<3} p50 {row['p50']} p95 {row['p95']} max {row['max']} {unit}")


def _await(address: str) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(address) as answer:  # noqa: S310
                if json.load(answer)["state"] == "ready":
                    return
        except OSError:
            pass
        time.sleep(0.1)
    sys.exit("the server did not start")


if __name__ == "__main__":
    main()
