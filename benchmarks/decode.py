"""Reading through the pool against a plain PyAV loop, side by side, as ratios.

Run: python benchmarks/decode.py [seconds of 720p video]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import av
import numpy as np

from moviola.core import UniformSampler
from moviola.video import ClipRead, DecodePool, ReadRequest, WindowSegmenter


def film(path: Path, seconds: int) -> None:
    """A moving texture in H.264, 1280x720 at 30 frames a second, with B-frames."""
    noise = np.random.default_rng(0).integers(0, 256, (90, 160), dtype=np.uint8)
    texture = np.kron(np.tile(noise, (1, 2)), np.ones((8, 8), np.uint8))
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=30, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        for number in range(seconds * 30):
            shift = 4 * number % 1280
            gray = texture[:, shift : shift + 1280]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(gray), "gray")
            output.mux(stream.encode(frame.reformat(format="yuv420p")))
        output.mux(stream.encode())


def plain(path: Path) -> float:
    """Seconds to decode every frame once, converting those that the windows want."""
    began = time.perf_counter()
    with av.open(str(path)) as container:
        container.streams.video[0].codec_context.thread_count = 1
        kept = 0
        for number, frame in enumerate(container.decode(video=0)):
            if number % 22 == 11:
                kept += frame.to_ndarray(format="rgb24").nbytes
    return time.perf_counter() - began


def pooled(pool: DecodePool, path: Path) -> float:
    """Seconds to read the same windows through one worker."""
    began = time.perf_counter()
    request = ReadRequest(0, path, WindowSegmenter(6, 3), UniformSampler(8))
    clips = sum(isinstance(answer, ClipRead) for answer in pool.read([request]))
    assert clips
    return time.perf_counter() - began


def main() -> None:
    """Print the ratios."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory() as folder, DecodePool(1) as pool:
        path = Path(folder) / "v.mp4"
        film(path, seconds)
        began = time.perf_counter()
        pool.probe(path)
        started = time.perf_counter() - began
        began = time.perf_counter()
        pool.probe(path)
        probed = time.perf_counter() - began
        pairs = [(plain(path), pooled(pool, path)) for _ in range(3)]
    loop, through = (min(times) for times in zip(*pairs, strict=True))
    print(f"plain PyAV loop    {loop:6.2f} s   1.00")
    print(f"pool, one worker   {through:6.2f} s   {through / loop:.2f}")
    print(f"probe, warm        {probed:6.2f} s   {probed / loop:.2f}")
    print(f"worker start       {started - probed:6.2f} s")


if __name__ == "__main__":
    main()
