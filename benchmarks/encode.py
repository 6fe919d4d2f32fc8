"""X-CLIP base-patch32 over videos: this library against the naive loop, as ratios, in one run.

The naive loop decodes every frame in order, prepares eight of them with transformers' processor,
and runs the model in float32 on one video at a time. Weights are random, which costs the same.

Run: python benchmarks/encode.py [videos] [rounds]
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
import transformers
from torch.utils.flop_counter import FlopCounterMode

from moviola.core import Space
from moviola.encode.runtime.preprocessing import Preprocessing
from moviola.encode.xclip.encoder import XClipEncoder
from moviola.pipeline.encode.streaming import encode_stream
from moviola.video import DecodePool, ReadRequest, WholeSegmenter

PROCESSOR = {
    "size": {"shortest_edge": 224},
    "crop_size": {"height": 224, "width": 224},
    "do_center_crop": True,
    "resample": 2,
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
}


def film(path: Path, shift: int, seconds: int = 20) -> None:
    """A moving texture in H.264, 320x240 at 25 frames a second, with B-frames."""
    noise = np.random.default_rng(shift).integers(0, 256, (30, 40), dtype=np.uint8)
    texture = np.kron(np.tile(noise, (1, 2)), np.ones((8, 8), np.uint8))
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25, options={"preset": "medium"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number in range(seconds * 25):
            at = (2 + shift) * number % 320
            grey = np.ascontiguousarray(texture[:, at : at + 320])
            output.mux(
                stream.encode(av.VideoFrame.from_ndarray(grey, "gray").reformat(format="yuv420p"))
            )
        output.mux(stream.encode())


@torch.inference_mode()
def naive(model: Any, processor: Any, paths: list[Path]) -> np.ndarray:
    """Vectors `(N, 512)`, the way that tutorials show."""
    rows = []
    for path in paths:
        with av.open(str(path)) as container:
            frames = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
        at = ((np.arange(8) + 0.5) / 8 * len(frames)).astype(int)
        pixels = processor(images=[frames[i] for i in at], return_tensors="pt")["pixel_values"]
        pixels = pixels.reshape(1, 8, 3, 224, 224).to(model.device)
        row = model.get_video_features(pixels).pooler_output
        rows.append(torch.nn.functional.normalize(row, dim=-1).cpu().numpy())
    return np.concatenate(rows)


def ours(encoder: XClipEncoder, pool: DecodePool, paths: list[Path]) -> np.ndarray:
    """The same through the pipeline that `moviola encode` uses."""
    requests = [ReadRequest(i, p, WholeSegmenter(), encoder.sampler) for i, p in enumerate(paths)]
    rows = {video.done.key: video.rows[0] for video in encode_stream(pool, requests, encoder)}
    return np.concatenate([rows[i] for i in range(len(paths))])


def timed(function: Callable[[], Any]) -> tuple[float, float, Any]:
    """Seconds by the clock, seconds of processors (workers' too), and the result."""
    began, spent = time.perf_counter(), _processor_seconds()
    result = function()
    return time.perf_counter() - began, _processor_seconds() - spent, result


def _processor_seconds() -> float:
    workers = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        if int(fields[1]) == os.getpid():
            workers += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return time.process_time() + workers


def peak(dtype: torch.dtype, device: torch.device) -> float:
    """Operations a second of the matrix product of X-CLIP's largest layers, the best of 10."""
    rows = torch.randn(1600, 768, dtype=dtype, device=device)
    weights = torch.randn(3072, 768, dtype=dtype, device=device)

    def multiply() -> None:
        torch.nn.functional.linear(rows, weights)
        if device.type == "cuda":
            torch.cuda.synchronize()

    return 2 * 1600 * 768 * 3072 / min(timed(multiply)[0] for _ in range(10))


def main() -> None:
    """Print the ratios."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    torch.manual_seed(0)
    model = transformers.XCLIPModel(transformers.XCLIPConfig()).eval()
    processor = transformers.VideoMAEImageProcessorPil(**PROCESSOR)
    twin = transformers.XCLIPModel(transformers.XCLIPConfig()).eval()
    twin.load_state_dict(model.state_dict())
    space = Space("benchmark", "1", "random", 512)
    encoder = XClipEncoder(twin, None, Preprocessing.from_config(PROCESSOR), space)
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        model.get_video_features(torch.zeros(1, 8, 3, 224, 224))
    model.to(encoder._video.device)  # noqa: SLF001 - both on the same
    operations = counter.get_total_flops()
    pixels = torch.randn(4, 8, 3, 224, 224)
    encoder._video(pixels)  # noqa: SLF001 - settles the precision
    with tempfile.TemporaryDirectory() as folder, DecodePool(1) as pool:
        paths = [Path(folder) / f"{number}.mp4" for number in range(count)]
        for number, path in enumerate(paths):
            film(path, number)
        pool.probe(paths[0])  # starts the worker
        pairs = [
            (
                timed(lambda: naive(model, processor, paths)),
                timed(lambda: ours(encoder, pool, paths)),
            )
            for _ in range(rounds)
        ]
        alone = min(timed(lambda: encoder._video(pixels))[0] for _ in range(3)) / len(pixels)  # noqa: SLF001
    slow, fast = (min(each[:2] for each in side) for side in zip(*pairs, strict=True))
    cosine = (pairs[0][0][2] * pairs[0][1][2]).sum(1).min()
    best = peak(encoder._video.dtype, encoder._video.device)  # noqa: SLF001
    threads = torch.get_num_threads()
    where = f"{encoder._video.device}, {threads} threads"  # noqa: SLF001
    print(f"{count} videos of 20 s, 320x240; {where}; ours in {encoder._video.dtype}")  # noqa: SLF001
    print(f"naive loop  {slow[0] / count:6.3f} s a video  {slow[1] / count:6.3f} processor seconds")
    print(f"moviola     {fast[0] / count:6.3f} s a video  {fast[1] / count:6.3f} processor seconds")
    print(f"ratio       {slow[0] / fast[0]:6.2f}            {slow[1] / fast[1]:6.2f}")
    print(f"lowest cosine between the two {cosine:.6f}")
    print(
        f"model alone {alone:6.3f} s a video: {operations / alone / 1e9:.0f} GFLOP/s, "
        f"{operations / alone / best:.0%} of the matrix product's {best / 1e9:.0f}"
    )


if __name__ == "__main__":
    main()
