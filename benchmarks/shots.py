"""Compare the detectors of shots on generated cuts, fades and dissolves: recall, precision and F1.

    python benchmarks/shots.py --videos 4

Every video has ten shots of 2 to 4 seconds, textures that drift while something crosses them. A
boundary is found where a detector cuts inside the transition or within 0.2 seconds of it; each
counts once.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from moviola.core import VideoInfo
from moviola.video import parse_segmenter

RATE, WIDTH, HEIGHT, SHOTS = 25, 192, 108, 10
TRANSITION = {"cuts": 0, "fades": 25, "dissolves": 25}
DETECTORS = ("shots", "shots:transnetv2")
SLACK = 0.2


class Scene:
    """A drifting texture that something crosses."""

    def __init__(self, rng: np.random.Generator) -> None:
        coarse = rng.integers(0, 256, (5, 8, 3))
        fine = np.kron(coarse, np.ones((48, 48, 1)))
        noise = rng.normal(0, 12, fine.shape)
        self._texture = (fine + noise).clip(0, 255)
        self._drift = rng.uniform(-1.5, 1.5, 2)
        self._thing = rng.integers(0, 256, 3)
        self._path = rng.uniform(0, 60, 2), rng.uniform(-2.5, 2.5, 2)

    def picture(self, number: int) -> np.ndarray:
        """Draw the picture of that number, `(H, W, 3)` float."""
        down, across = _bounced(60 + self._drift * number, 60)
        made = self._texture[down : down + HEIGHT, across : across + WIDTH].copy()
        top, left = _bounced(self._path[0] + self._path[1] * number, 80)
        made[top : top + 28, left : left + 28] = self._thing
        return made


def _bounced(place: np.ndarray, room: int) -> np.ndarray:
    """Keep a moving place between 0 and `room`, turning round at the ends: nothing jumps."""
    return np.round(room - np.abs(place % (2 * room) - room)).astype(int)


def film(kind: str, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, int | None]]:
    """Draw a video picture by picture; with each, the transition that it begins or belongs to."""
    length = TRANSITION[kind]
    before: Scene | None = None
    for shot in range(SHOTS):
        scene = Scene(rng)
        for step in range(length if before else 0):
            share = (step + 1) / (length + 1)
            if kind == "dissolves":
                mixed = (1 - share) * before.picture(200 + step) + share * scene.picture(step)
            elif share < 0.5:
                mixed = (1 - 2 * share) * before.picture(200 + step)
            else:
                mixed = (2 * share - 1) * scene.picture(step)
            yield mixed, shot
        for number in range(int(rng.integers(50, 101))):
            first = shot if before and not length and number == 0 else None
            yield scene.picture(length + number), first
        before = scene


def write(path: Path, kind: str, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Write a video, and return begin and end of its transitions in seconds."""
    spans: dict[int, list[float]] = {}
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=RATE, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number, (picture, shot) in enumerate(film(kind, rng)):
            if shot is not None:
                spans.setdefault(shot, []).append(number / RATE)
            frame = av.VideoFrame.from_ndarray(picture.round().astype(np.uint8), "rgb24")
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return [(times[0], times[-1]) for times in spans.values()]


def matched(cuts: list[float], true: list[tuple[float, float]]) -> int:
    """Count the transitions that were found, each cut used once."""
    left, found = list(cuts), 0
    for begin, end in true:
        hit = next((cut for cut in left if begin - SLACK <= cut <= end + SLACK), None)
        if hit is not None:
            left.remove(hit)
            found += 1
    return found


def main() -> None:
    """Measure both detectors on each kind of transition."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=4, help="videos of each kind")
    asked = parser.parse_args()
    print("kind       detector            true  cuts  right  recall  precision    F1  seconds")
    with tempfile.TemporaryDirectory() as folder:
        for kind in TRANSITION:
            films = []
            for number in range(asked.videos):
                path = Path(folder) / f"{kind}{number}.mp4"
                films.append((path, write(path, kind, np.random.default_rng(number))))
            for detector in DETECTORS:
                segmenter, began = parse_segmenter(detector), time.perf_counter()
                true = cut = right = 0
                for path, spans in films:
                    info = VideoInfo(1e6, WIDTH, HEIGHT, 0, "h264", "mp4", has_sound=False)
                    cuts = [span.start for span in segmenter.segment(path, info)[1:]]
                    true, cut = true + len(spans), cut + len(cuts)
                    right += matched(cuts, spans)
                recall, precision = right / true, right / max(cut, 1)
                f1 = 2 * right / (true + cut)
                print(
                    f"{kind:10} {detector:18} {true:5} {cut:5} {right:6} {recall:7.2f} "
                    f"{precision:10.2f} {f1:5.2f} {time.perf_counter() - began:8.1f}"
                )


if __name__ == "__main__":
    main()
